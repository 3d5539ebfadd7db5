import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { atDate } from './clock.js';

const HOUR_MS = 3_600_000;

describe('atDate', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  test.each([1, HOUR_MS, 90 * 24 * HOUR_MS])('calls back once after %i ms, and not before', (ms) => {
    const callback = jest.fn();
    atDate(Date.now() + ms, callback);
    jest.advanceTimersByTime(ms);
    expect(callback).not.toHaveBeenCalled();
    jest.advanceTimersByTime(HOUR_MS);
    expect(callback).toHaveBeenCalledTimes(1);
    expect(jest.getTimerCount()).toBe(0);
  });

  test('calls back within an hour if the clock jumps past the date', () => {
    const callback = jest.fn();
    atDate(Date.now() + 1_000 * HOUR_MS, callback);
    jest.setSystemTime(Date.now() + 2_000 * HOUR_MS);
    jest.advanceTimersByTime(HOUR_MS);
    expect(callback).toHaveBeenCalledTimes(1);
  });

  test.each([
    ['in the past', -1],
    ['that is not a number', NaN],
  ])('calls back at once, but after it has returned, for a date %s', (_, ms) => {
    const callback = jest.fn();
    atDate(Date.now() + ms, callback);
    expect(callback).not.toHaveBeenCalled();
    jest.advanceTimersByTime(1);
    expect(callback).toHaveBeenCalledTimes(1);
    expect(jest.getTimerCount()).toBe(0);
  });

  test('does not call back after it is cancelled', () => {
    const callback = jest.fn();
    atDate(Date.now() + 1, callback)();
    jest.advanceTimersByTime(HOUR_MS);
    expect(callback).not.toHaveBeenCalled();
  });
});
