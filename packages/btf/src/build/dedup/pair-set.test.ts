import { expect, test } from '@jest/globals';
import { PairSet } from './pair-set.js';

test('has the pairs that were added, in the order of the two', () => {
  const set = new PairSet();
  for (let i = 1; i <= 5000; i++) set.add(i, i * 3);
  for (let i = 1; i <= 5000; i++) {
    expect([set.has(i, i * 3), set.has(i * 3, i), set.has(i, 0), set.has(0, i)]).toEqual([
      true,
      false,
      false,
      false,
    ]);
  }
  set.clear();
  expect(set.has(1, 3)).toBe(false);
});

test('starts again when it is full, so that its memory is bounded', () => {
  const set = new PairSet();
  const full = 1 << 20;
  for (let i = 1; i < full; i++) set.add(i, 1);
  expect(set.has(1, 1)).toBe(true);
  set.add(full, 1);
  expect(set.has(1, 1)).toBe(false);
  set.add(1, 1);
  expect(set.has(1, 1)).toBe(true);
});
