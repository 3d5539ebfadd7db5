import { describe, expect, test } from '@jest/globals';
import { ManualClock } from '../testing/manual-clock.js';
import { Timeouts } from './timeouts.js';

const MS = 100;

function setUp() {
  const clock = new ManualClock();
  const due: [entry: string, at: number][] = [];
  const timeouts = new Timeouts<string>(MS, (entry) => due.push([entry, clock.now()]), clock);
  return { clock, due, timeouts };
}

describe('Timeouts', () => {
  test('call back for each entry after its time, and not before', () => {
    const { clock, due, timeouts } = setUp();
    timeouts.add('a');
    clock.advance(30);
    timeouts.add('b');
    timeouts.add('c');
    clock.advance(MS - 31);
    expect(due).toEqual([]);
    clock.advance(MS);
    expect(due).toEqual([
      ['a', MS],
      ['b', MS + 30],
      ['c', MS + 30],
    ]);
    expect([timeouts.size, clock.timers]).toEqual([0, 0]);
  });

  test('do not call back for an entry that was removed', () => {
    const { clock, due, timeouts } = setUp();
    const removed = timeouts.add('a');
    timeouts.add('b');
    timeouts.delete(removed);
    timeouts.delete(removed);
    clock.advance(MS);
    expect([due, timeouts.size]).toEqual([[['b', MS]], 0]);
  });

  test('have one timer for all entries, which ends when there are none', () => {
    const { clock, timeouts } = setUp();
    for (let entry = 0; entry < 1_000; entry++) {
      timeouts.delete(timeouts.add(String(entry)));
    }
    expect([timeouts.size, clock.timers]).toEqual([0, 1]);
    clock.advance(MS);
    expect(clock.timers).toBe(0);
  });

  test('do not remove another entry with one that was called back', () => {
    const { clock, due, timeouts } = setUp();
    const first = timeouts.add('a');
    clock.advance(MS);
    timeouts.add('a');
    timeouts.delete(first);
    clock.advance(MS);
    expect(due).toEqual([
      ['a', MS],
      ['a', 2 * MS],
    ]);
  });

  test('may get entries in the callback', () => {
    const clock = new ManualClock();
    const due: number[] = [];
    const timeouts = new Timeouts<string>(
      MS,
      (entry) => {
        due.push(clock.now());
        if (due.length < 3) timeouts.add(entry);
      },
      clock,
    );
    timeouts.add('a');
    clock.advance(10 * MS);
    expect([due, clock.timers]).toEqual([[MS, 2 * MS, 3 * MS], 0]);
  });
});
