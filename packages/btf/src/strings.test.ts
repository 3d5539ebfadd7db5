import { describe, expect, test } from '@jest/globals';
import { StringTable, searchedBytes } from './strings.js';

const LIMIT = 1024;
const bytesOf = (text: string) => new TextEncoder().encode(text);
const tableOf = (text: string) => new StringTable(bytesOf(text), null, LIMIT);
const get = (table: StringTable, offset: number) => table.get(offset, 0, 1);

function find(table: StringTable, offset: number, name: string): boolean {
  return table.mayEqual(offset, bytesOf(name)) && table.equals(offset, bytesOf(name));
}

describe('StringTable', () => {
  test('reads strings that are suffixes of others', () => {
    const table = tableOf('\0task_struct\0');
    expect([1, 6, 12].map((offset) => get(table, offset))).toEqual(['task_struct', 'struct', '']);
    expect(find(table, 6, 'struct')).toBe(true);
    expect(find(table, 6, 'truct')).toBe(false);
    expect(find(table, 1, 'task')).toBe(false);
    expect(find(table, 1, 'task_xtruct')).toBe(false);
  });

  test('reads single strings as it reads them from the text of the whole section', () => {
    const long = 'x'.repeat(200);
    const table = tableOf(`\0first\0second\0${long}\0`);
    const offsets = [1, 3, 7, 14, 214, 0];
    const singly = offsets.map((offset) => get(table, offset));
    expect(singly).toEqual(['first', 'rst', 'second', long, '', '']);
    for (let i = 0; i < 3; i++) expect(offsets.map((offset) => get(table, offset))).toEqual(singly);
  });

  test.each([
    ['UTF-8', bytesOf('\0zwölf\0€\0😀\0tail\0'), [1, 8, 12, 17], ['zwölf', '€', '😀', 'tail']],
    ['a byte order mark', bytesOf('\0\u{feff}a\0tail\0'), [1, 6], ['\u{feff}a', 'tail']],
    [
      'one byte that is not UTF-8',
      Uint8Array.of(0, 0x61, 0xff, 0x62, 0, 0x63, 0),
      [1, 5],
      ['a\u{fffd}b', 'c'],
    ],
    ['a character cut off', Uint8Array.of(0, 0xe2, 0x82, 0, 0x63, 0), [1, 4], ['\u{fffd}', 'c']],
    ['a suffix within a character', bytesOf('\0ö\0tail\0'), [2, 4], ['\u{fffd}', 'tail']],
  ])('reads %s, at first and again', (_, bytes, offsets, strings) => {
    const table = new StringTable(bytes, null, LIMIT);
    for (let i = 0; i < 10; i++) expect(offsets.map((offset) => get(table, offset))).toEqual(strings);
  });

  test('continues the offsets of its base', () => {
    const table = new StringTable(bytesOf('own\0'), tableOf('\0base\0'), LIMIT);
    expect([1, 2, 6, 7].map((offset) => get(table, offset))).toEqual(['base', 'ase', 'own', 'wn']);
    expect([find(table, 1, 'base'), find(table, 6, 'own'), find(table, 6, 'base')]).toEqual([
      true,
      true,
      false,
    ]);
    expect(() => get(table, 10)).toThrow('string offset 10');
  });

  test('rejects an offset after the end and reports where it was read', () => {
    expect(() => tableOf('\0a\0').get(3, 48, 7)).toThrow(
      expect.objectContaining({ code: 'MALFORMED', offset: 48, typeId: 7 }),
    );
    expect(find(tableOf('\0a\0'), 3, '')).toBe(false);
  });

  test('finds the end of long strings as of short ones', () => {
    const lengths = [511, 512, 513, 1, 700, 1024, 0, 512, 514];
    const text = `\0${lengths.map((length) => `${'x'.repeat(length)}\0`).join('')}`;
    const table = tableOf(text);
    for (let from = 0; from < text.length; from++) {
      expect(get(table, from)).toBe(text.slice(from, text.indexOf('\0', from)));
    }
  });

  test('rejects a string longer than the limit, but not one of that length', () => {
    const table = tableOf(`\0${'x'.repeat(LIMIT + 1)}\0`);
    expect(get(table, 2)).toHaveLength(LIMIT);
    expect(() => get(table, 1)).toThrow(expect.objectContaining({ code: 'LIMIT_EXCEEDED' }));
  });
});

test('searchedBytes returns what an encoder does, for short and long texts', () => {
  const long = 'x'.repeat(100);
  for (const text of [
    '',
    'task_struct',
    'ü',
    'aü',
    '\u007f\u0080',
    '\ud83d\ude00',
    'a\ud800',
    long,
    `${long}ü`,
    'x'.repeat(64),
  ]) {
    expect(searchedBytes(text)).toEqual(new TextEncoder().encode(text));
    expect(searchedBytes(`${text}\0`)).toBeNull();
    expect(searchedBytes(`\0${text}`)).toBeNull();
  }
});
