import { describe, expect, test } from '@jest/globals';
import { median, ratios, slope, summarize } from './statistics.js';

describe('median', () => {
  test.each([
    [[3], 3],
    [[10, 2, 9], 9],
    [[4, 1, 3, 2], 2.5],
    [[100, 1, 1, 1], 1],
  ])('of %j is %d', (values, expected) => {
    expect(median(values)).toBe(expected);
  });

  test('fails without values', () => {
    expect(() => median([])).toThrow('no values');
  });
});

test('the spread is the median distance from the median, which an outlier does not change', () => {
  expect(summarize([10, 12, 11, 1_000, 9])).toMatchObject({ median: 11, mad: 1 });
});

describe('ratios', () => {
  test('divide the values of the same round', () => {
    expect(ratios([2, 30], [4, 10])).toEqual([0.5, 3]);
  });

  test('subtract the cost of an empty process from both sides', () => {
    expect(ratios([130, 140], [115, 120], [100, 100])).toEqual([2, 2]);
  });

  test('leave out rounds in which the peer costs no more than the empty process', () => {
    expect(ratios([130, 140], [100, 120], [100, 100])).toEqual([2]);
  });

  test('leave out rounds that a subject did not measure', () => {
    expect(ratios([1, 2, 3], [1, 1])).toEqual([1, 2]);
    expect(ratios([1, 2], [2, 4], [0])).toEqual([0.5]);
  });
});

describe('slope', () => {
  const points = (exponent: number) =>
    [1e4, 1e5, 1e6].map((size): [number, number] => [size, 7 * size ** exponent]);

  test.each([0, 0.5, 1, 1.42, 2])('is the exponent %d of a power', (exponent) => {
    expect(slope(points(exponent))).toBeCloseTo(exponent, 10);
  });

  test('is null for one size', () => {
    expect(slope([[10, 1]])).toBeNull();
    expect(slope([])).toBeNull();
  });
});
