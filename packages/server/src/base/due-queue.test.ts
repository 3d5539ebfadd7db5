import { describe, expect, test } from '@jest/globals';
import { ManualClock } from '../testing/manual-clock.js';
import { DueQueue, type DueEntry } from './due-queue.js';

interface Named extends DueEntry {
  readonly name: string;
}

function setUp() {
  const clock = new ManualClock();
  const due: [name: string, at: number][] = [];
  const queue = new DueQueue<Named>(clock, ({ name }) => due.push([name, clock.now()]));
  return { clock, due, queue };
}

function entry(name: string): Named {
  return { name, dueAt: 0, place: -1 };
}

describe('A queue of due entries', () => {
  test('calls back for each entry at its own time, in the order of time', () => {
    const { clock, due, queue } = setUp();
    queue.add(entry('late'), 500);
    queue.add(entry('early'), 100);
    clock.advance(50);
    queue.add(entry('between'), 200);
    clock.advance(1000);
    expect(due).toEqual([
      ['early', 100],
      ['between', 250],
      ['late', 500],
    ]);
    expect(clock.timers).toBe(0);
  });

  test('does not call back for an entry that was removed, also if it was the first, the last or the only one', () => {
    const { clock, due, queue } = setUp();
    const entries = ['a', 'b', 'c', 'd', 'e'].map(entry);
    entries.forEach((each, index) => queue.add(each, 100 * (index + 1)));
    const [first, , middle, , last] = entries;
    for (const each of [first, middle, last, last]) if (each !== undefined) queue.delete(each);
    clock.advance(1000);
    expect(due).toEqual([
      ['b', 200],
      ['d', 400],
    ]);
    const only = entry('only');
    queue.add(only, 100);
    queue.delete(only);
    expect([only.place, clock.timers]).toEqual([-1, 0]);
    clock.advance(1000);
    expect(due.length).toBe(2);
  });

  test('takes an entry again that was removed, or that was due', () => {
    const { clock, due, queue } = setUp();
    const again = entry('again');
    queue.add(again, 100);
    queue.delete(again);
    queue.add(again, 300);
    clock.advance(300);
    queue.add(again, 100);
    clock.advance(100);
    expect(due).toEqual([
      ['again', 300],
      ['again', 400],
    ]);
  });

  test('takes and removes entries while it calls back', () => {
    const clock = new ManualClock();
    const due: [name: string, at: number][] = [];
    const [removed, added] = [entry('removed'), entry('added')];
    const queue = new DueQueue<Named>(clock, ({ name }) => {
      due.push([name, clock.now()]);
      if (name !== 'first') return;
      queue.delete(removed);
      queue.add(added, 50);
    });
    queue.add(entry('first'), 100);
    queue.add(removed, 100);
    queue.add(entry('other'), 100);
    clock.advance(1000);
    expect(due).toEqual([
      ['first', 100],
      ['other', 100],
      ['added', 150],
    ]);
    expect(clock.timers).toBe(0);
  });

  test('goes on after a callback that throws', () => {
    const clock = new ManualClock();
    const due: string[] = [];
    const queue = new DueQueue<Named>(clock, ({ name }) => {
      due.push(name);
      if (name === 'bad') throw new Error('failed');
    });
    for (const [name, ms] of [
      ['bad', 100],
      ['same', 100],
      ['later', 200],
    ] as const) {
      queue.add(entry(name), ms);
    }
    expect(() => clock.advance(100)).toThrow('failed');
    clock.advance(1000);
    queue.add(entry('new'), 100);
    clock.advance(1000);
    expect(due).toEqual(['bad', 'same', 'later', 'new']);
  });

  test('returns although entries that are added again are due before it is done', () => {
    let now = 0;
    let callback = (): void => {};
    // Time passes with each look at the clock.
    const clock = {
      now: () => (now += 1),
      after: (_: number, due: () => void) => ((callback = due), { cancel() {} }),
    };
    let calls = 0;
    const queue = new DueQueue<Named>(clock, (each) => {
      calls += 1;
      queue.add(each, 1);
    });
    const entries = Array.from({ length: 10 }, (_, i) => entry(String(i)));
    for (const each of entries) queue.add(each, 1);
    callback();
    expect(calls).toBe(10);
    expect(entries.filter(({ place }) => place >= 0)).toHaveLength(10);
  });

  test('keeps its order through additions and removals in any order, with one timer', () => {
    const { clock, due, queue } = setUp();
    const kept: [name: string, at: number][] = [];
    const entries: Named[] = [];
    // A linear congruential generator: the same order in each run.
    let state = 1;
    const random = (below: number): number => {
      state = (state * 48_271) % 2_147_483_647;
      return state % below;
    };
    for (let i = 0; i < 3_000; i++) {
      const each = entry(String(i));
      queue.add(each, 1 + random(1_000_000));
      entries.push(each);
      if (random(3) === 0) queue.delete(entries[random(entries.length)] ?? each);
    }
    for (const { name, place, dueAt } of entries) if (place >= 0) kept.push([name, dueAt]);
    expect(clock.timers).toBe(1);
    clock.advance(1_000_000);
    expect(due.map(([, at]) => at)).toEqual(kept.map(([, at]) => at).toSorted((a, b) => a - b));
    expect(new Map(due)).toEqual(new Map(kept));
  });
});
