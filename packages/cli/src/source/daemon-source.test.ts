import { expect, test } from '@jest/globals';
import { pathBatches } from './daemon-source.js';

const batches = (count: number, length: number): string[][] => [
  ...pathBatches(Array.from({ length: count }, (_, index) => String(index).padEnd(length, 'x'))),
];

test.each([
  [0, 1],
  [1, 40_000],
  [1000, 10],
  [2500, 10],
  [1000, 100],
  [9, 8192],
])('%d paths of %d characters are requested in parts that a daemon accepts', (count, length) => {
  const parts = batches(count, length);
  expect(parts.flat()).toEqual(batches(count, length).flat());
  expect(parts.flat()).toHaveLength(count);
  for (const part of parts) {
    expect(part.length).toBeGreaterThan(0);
    expect(part.length).toBeLessThanOrEqual(1000);
    // 64 KiB, unless a single path is longer.
    expect(part.length === 1 || part.join('').length < 65_536).toBe(true);
  }
});

test('there are as few parts as possible', () => {
  expect(batches(2500, 10).map(({ length }) => length)).toEqual([1000, 1000, 500]);
});
