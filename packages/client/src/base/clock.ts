import { onAbort } from './abort.js';

/** Clock measures time and sets timers, so that tests can replace both. */
export interface Clock {
  /** Returns the milliseconds since some start. They never go back. */
  now(): number;
  /**
   * Runs a function once, after some milliseconds. Returns a function that cancels the timer.
   *
   * @param keepAlive whether the timer keeps the process alive. Default: false.
   */
  setTimer(run: () => void, ms: number, keepAlive?: boolean): () => void;
}

/** Not `performance.now()`, whose first use loads code for a millisecond. */
function milliseconds(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}

/** systemClock is the clock of the process. */
export const systemClock: Clock = {
  now: milliseconds,
  setTimer: (run, ms, keepAlive = false) => {
    const timer = setTimeout(run, ms);
    if (!keepAlive) timer.unref();
    return () => clearTimeout(timer);
  },
};

/**
 * pause waits for some milliseconds. It keeps the process alive, as a call does; other timers of the client do not.
 *
 * @param endings signals that end the pause early.
 * @throws the reason of the signal that ended it.
 */
export async function pause(
  clock: Clock,
  ms: number,
  endings: readonly (AbortSignal | undefined)[],
): Promise<void> {
  for (const ending of endings) ending?.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const settle = (act: () => void): void => {
      cancel();
      for (const stop of stops) stop();
      act();
    };
    const cancel = clock.setTimer(() => settle(resolve), ms, true);
    const stops = endings.map((ending) => onAbort(ending, () => settle(() => reject(ending?.reason))));
  });
}

/** atMost waits for a promise, but no longer than some milliseconds. It keeps the process alive meanwhile. */
export async function atMost(clock: Clock, ms: number, done: Promise<void>): Promise<void> {
  await new Promise<void>((resolve) => {
    const cancel = clock.setTimer(resolve, ms, true);
    void done.then(resolve).finally(cancel);
  });
}
