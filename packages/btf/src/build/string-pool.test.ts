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
