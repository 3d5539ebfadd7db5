import { expect, test } from '@jest/globals';
import { ManualClock } from '../testing/manual-clock.js';
import { Lease } from './lease.js';

function lease(ttlMs: number) {
  const clock = new ManualClock();
  const ends: number[] = [];
  return { clock, ends, lease: new Lease(ttlMs, 0, clock, () => ends.push(clock.now())) };
}

test('A lease ends when its time is over, once', () => {
  const { clock, ends } = lease(1000);
  clock.advance(999);
  expect(ends).toEqual([]);
  clock.advance(5000);
  expect(ends).toEqual([1000]);
  expect(clock.timers).toBe(0);
});

test('Each renewal restarts the time', () => {
  const { clock, ends, lease: renewed } = lease(1000);
  for (let i = 0; i < 5; i++) {
    clock.advance(900);
    renewed.renew();
  }
  clock.advance(999);
  expect(ends).toEqual([]);
  clock.advance(1);
  expect(ends).toEqual([5500]);
});

test('A lease does not expire during a use, and the end of the use restarts the time', () => {
  const { clock, ends, lease: used } = lease(1000);
  clock.advance(900);
  used.suspend();
  clock.advance(10_500);
  expect(used.remainingMs).toBe(1000);
  used.resume();
  clock.advance(999);
  expect(ends).toEqual([]);
  clock.advance(1);
  expect(ends).toEqual([12_400]);
});

test('A lease does not expire until the last of several uses ends', () => {
  const { clock, ends, lease: used } = lease(1000);
  used.suspend();
  used.suspend();
  clock.advance(2000);
  used.resume();
  clock.advance(2000);
  expect(ends).toEqual([]);
  used.resume();
  clock.advance(1000);
  expect(ends).toEqual([5000]);
});

test('The remaining time shrinks, and is never negative', () => {
  const { clock, lease: left } = lease(1000);
  expect([left.ttlMs, left.remainingMs]).toEqual([1000, 1000]);
  clock.advance(400);
  expect(left.remainingMs).toBe(600);
  clock.advance(5000);
  expect(left.remainingMs).toBe(0);
});

test('A lease that was ended does not expire and leaves no timer', () => {
  const { clock, ends, lease: ended } = lease(1000);
  ended.end();
  expect(clock.timers).toBe(0);
  clock.advance(5000);
  expect(ends).toEqual([]);
});
