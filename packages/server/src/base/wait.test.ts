import { getEventListeners } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import { ManualClock } from '../testing/manual-clock.js';
import { wait } from './wait.js';

/** A wait of at most 100 ms, and what it is subscribed to. */
function begin(signal = new AbortController().signal) {
  const clock = new ManualClock();
  const listeners = new Set<() => void>();
  const waiting = wait(
    (wake) => {
      listeners.add(wake);
      return () => listeners.delete(wake);
    },
    { signal, ms: 100, clock },
  );
  return {
    clock,
    waiting,
    wake: () => {
      for (const listener of listeners) listener();
    },
    /** Everything that could still settle it. */
    open: () => [clock.timers, listeners.size, getEventListeners(signal, 'abort').length],
  };
}

describe('wait', () => {
  test('returns true at the event, and then stops listening', async () => {
    const { waiting, wake, open } = begin();
    expect(open()).toEqual([1, 1, 1]);
    wake();
    expect(open()).toEqual([0, 0, 0]);
    expect(await waiting).toBe(true);
  });

  test('returns false when the time is over', async () => {
    const { clock, waiting, open } = begin();
    clock.advance(99);
    expect(open()).toEqual([1, 1, 1]);
    clock.advance(1);
    expect(open()).toEqual([0, 0, 0]);
    expect(await waiting).toBe(false);
  });

  test('throws the reason of a signal that aborts', async () => {
    const abort = new AbortController();
    const { waiting, open } = begin(abort.signal);
    abort.abort(new Error('gone'));
    expect(open()).toEqual([0, 0, 0]);
    await expect(waiting).rejects.toThrow('gone');
  });

  test('subscribes to nothing if the signal has aborted', async () => {
    const { waiting, open } = begin(AbortSignal.abort(new Error('gone')));
    await expect(waiting).rejects.toThrow('gone');
    expect(open()).toEqual([0, 0, 0]);
  });

  test('settles once, at the first of several causes', async () => {
    const abort = new AbortController();
    const wakes: (() => void)[] = [];
    let unsubscribed = 0;
    const waiting = wait(
      (wake) => {
        wakes.push(wake);
        return () => void (unsubscribed += 1);
      },
      { signal: abort.signal },
    );
    for (const wake of [...wakes, ...wakes]) wake();
    abort.abort(new Error('late'));
    expect(await waiting).toBe(true);
    expect(unsubscribed).toBe(1);
  });

  test('returns if the event comes while it subscribes', async () => {
    let unsubscribed = 0;
    const waiting = wait((wake) => {
      wake();
      return () => void (unsubscribed += 1);
    });
    expect([await waiting, unsubscribed]).toEqual([true, 1]);
    expect(await wait((wake) => wake())).toBe(true);
  });
});
