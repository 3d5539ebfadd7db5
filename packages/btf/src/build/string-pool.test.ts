import { expect, test } from '@jest/globals';
import { OffsetNumbers } from './offset-numbers.js';
import { layoutStrings } from './string-layout.js';
import { StringPool } from './string-pool.js';

const LONG = 'x'.repeat(200);
const TEXTS = ['int', 'ü', 'task_struct', `${LONG}ü`, LONG, 'x'.repeat(64), 'x'.repeat(65)];

test('a text has the number of its bytes, whether it is long, short, ASCII or not', () => {
  const byBytes = new StringPool();
  const byText = new StringPool();
  for (const text of TEXTS) {
    const bytes = new TextEncoder().encode(text);
    const number = byBytes.intern(bytes, 0, bytes.length);
    expect(byText.internText(text)).toBe(number);
    expect([byText.internText(text), byBytes.internText(text)]).toEqual([number, number]);
    expect(new TextDecoder().decode(byText.bytesOf(number))).toBe(text);
    expect(byText.lengthOf(number)).toBe(bytes.length);
  }
  expect(byText.count).toBe(TEXTS.length + 1);
  for (const text of ['a\0b', '\0', '\ud800', `${LONG}\0`]) expect(byText.internText(text)).toBe(-1);
});

test('rows of strings are written as single ones', () => {
  const pool = new StringPool();
  const numbers = TEXTS.map((text) => pool.internText(text));
  for (const used of [numbers, numbers.toReversed(), [2, 3, 1, 5, 6], []]) {
    const { bytes, offsets } = layoutStrings(pool, used, { shareSuffixes: false, base: null });
    const texts = used.map((number) => TEXTS[number - 1]);
    expect(new TextDecoder().decode(bytes)).toBe(
      ['', ...texts, ''].join('\0').slice(0, used.length > 0 ? undefined : 1),
    );
    for (const number of used) {
      const from = offsets[number] ?? 0;
      expect(new TextDecoder().decode(bytes.subarray(from, bytes.indexOf(0, from)))).toBe(TEXTS[number - 1]);
    }
  }
});

test.each([false, true])('offsets keep their numbers and their order (with a table: %p)', (withTable) => {
  const numbers = new OffsetNumbers();
  const end = 1 << 20;
  if (withTable) numbers.useTable(end);
  const offsets = Array.from({ length: 1_000 }, (_, i) => (i * 7_919) % end);
  for (const [i, offset] of offsets.entries()) {
    expect(numbers.get(offset)).toBe(-1);
    numbers.add(offset, i);
  }
  expect(offsets.map((offset) => numbers.get(offset))).toEqual(offsets.map((_, i) => i));
  const visited: number[] = [];
  numbers.visit((number, offset) => {
    expect(offsets[number]).toBe(offset);
    visited.push(number);
  });
  expect(visited).toEqual(offsets.map((_, i) => i));
});

test('offsets up to 2^32 have numbers', () => {
  const numbers = new OffsetNumbers();
  const offsets = Array.from({ length: 1_000 }, (_, i) => Math.imul(i + 1, 0x9e3779b1) >>> 0);
  for (const [i, offset] of offsets.entries()) numbers.add(offset, i);
  expect(offsets.map((offset) => numbers.get(offset))).toEqual(offsets.map((_, i) => i));
});

test('all strings of a section get the numbers that each would get alone, also if some are there twice', () => {
  const texts = ['int', 'ü', 'int', 'task_struct', LONG, 'task_struct', 'struct', 'x', 'int', 'last'];
  const section = new TextEncoder().encode(`\0${texts.join('\0')}\0`);
  const single = new StringPool();
  const all = new StringPool();
  const table = new Int32Array(section.length);
  all.internAll(section, table);
  const found: [offset: number, number: number][] = [];
  for (let from = 1, to = 0; from < section.length; from = to + 1) {
    to = section.indexOf(0, from);
    found.push([from, -single.intern(section, from, to)]);
  }
  expect([...table.entries()].filter(([, number]) => number !== 0)).toEqual(found);
  // Later strings, and rows of strings, are not disturbed by what was moved.
  for (const text of ['new', 'last', 'a', '']) expect(all.internText(text)).toBe(single.internText(text));
  expect(all.count).toBe(single.count);
  const rows = [single, all].map((pool) => {
    const used = Array.from({ length: pool.count - 1 }, (_, i) => i + 1);
    return layoutStrings(pool, used, { shareSuffixes: true, base: null });
  });
  expect(rows[1]).toEqual(rows[0]);
});

test('thousands of strings of a section are found', () => {
  const texts = Array.from({ length: 5_000 }, (_, i) => `name_${(i * 7) % 4_000}`);
  const section = new TextEncoder().encode(`\0${texts.join('\0')}\0`);
  const pool = new StringPool();
  pool.internAll(section, new Int32Array(section.length));
  expect(pool.count).toBe(4_001);
  for (const text of texts) expect(pool.internText(text)).toBeLessThan(4_001);
});
