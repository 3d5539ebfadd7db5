import { expect, test } from '@jest/globals';
import { ManualClock } from '../testing/manual-clock.js';
import { Leases } from './lease.js';

function lease(ttlMs: number) {
  const clock = new ManualClock();
  const ends: number[] = [];
  const leases = new Leases<string>(clock, () => ends.push(clock.now()));
  return { clock, ends, leases, lease: leases.grant('a handle', ttlMs, 0) };
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

test('A lease that was ended does not expire', () => {
  const { clock, ends, leases, lease: ended } = lease(1000);
  leases.end(ended);
  leases.end(ended);
  clock.advance(5000);
  expect([ends, clock.timers]).toEqual([[], 0]);
});

test('A lease that a call used before it was granted does not expire until that call ends', () => {
  const clock = new ManualClock();
  const expired: string[] = [];
  const leases = new Leases<string>(clock, (handle) => expired.push(handle));
  const used = leases.grant('used', 1000, 1);
  leases.grant('unused', 1000, 0);
  clock.advance(5000);
  expect(expired).toEqual(['unused']);
  used.resume();
  clock.advance(1000);
  expect(expired).toEqual(['unused', 'used']);
});

test('Thousands of leases have one timer, and each ends at its own time', () => {
  const clock = new ManualClock();
  const ends: [ttlMs: number, at: number][] = [];
  const leases = new Leases<number>(clock, (ttlMs) => ends.push([ttlMs, clock.now()]));
  // Each TTL from 1 to 4,999, in a mixed order: 2,503 and 4,999 have no common factor.
  const ttls = Array.from({ length: 4_998 }, (_, i) => ((i + 1) * 2_503) % 4_999);
  for (const ttlMs of ttls) leases.grant(ttlMs, ttlMs, 0);
  expect(clock.timers).toBe(1);
  clock.advance(5_000);
  expect(ends).toEqual(ttls.toSorted((a, b) => a - b).map((ttlMs) => [ttlMs, ttlMs]));
  expect(clock.timers).toBe(0);
});
