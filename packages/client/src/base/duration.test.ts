import { expect, test } from '@jest/globals';
import { durationFromMs, msFromDuration } from './duration.js';

test.each([
  [0, 0n, 0],
  [1, 0n, 1_000_000],
  [1500, 1n, 500_000_000],
  [0.5, 0n, 500_000],
  [86_400_000, 86_400n, 0],
])('%d ms are %d s and %d ns', (ms, seconds, nanos) => {
  expect(durationFromMs(ms)).toMatchObject({ seconds, nanos });
  expect(msFromDuration(durationFromMs(ms))).toBe(ms);
});

test('nothing stays nothing', () => {
  expect(durationFromMs(undefined)).toBeUndefined();
  expect(msFromDuration(undefined)).toBe(0);
});
