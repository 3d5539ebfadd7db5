import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { atDate } from './at-date.js';

const HOUR_MS = 3_600_000;

describe('A date', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  test.each([1, HOUR_MS, 90 * 24 * HOUR_MS])('%i ms ahead is told once, and not before', (ms) => {
    const told = jest.fn();
    atDate(Date.now() + ms, told);
    jest.advanceTimersByTime(ms);
    expect(told).not.toHaveBeenCalled();
    jest.advanceTimersByTime(HOUR_MS);
    expect(told).toHaveBeenCalledTimes(1);
    expect(jest.getTimerCount()).toBe(0);
  });

  test('that a clock jumps over is told within an hour', () => {
    const told = jest.fn();
    atDate(Date.now() + 1_000 * HOUR_MS, told);
    jest.setSystemTime(Date.now() + 2_000 * HOUR_MS);
    jest.advanceTimersByTime(HOUR_MS);
    expect(told).toHaveBeenCalledTimes(1);
  });

  test.each([
    ['of the past', -1],
    ['that is none', NaN],
  ])('%s is told now', (_, ms) => {
    const told = jest.fn();
    atDate(Date.now() + ms, told);
    expect(told).toHaveBeenCalledTimes(1);
    expect(jest.getTimerCount()).toBe(0);
  });

  test('that is cancelled is not told', () => {
    const told = jest.fn();
    atDate(Date.now() + 1, told)();
    jest.advanceTimersByTime(HOUR_MS);
    expect(told).not.toHaveBeenCalled();
  });
});
