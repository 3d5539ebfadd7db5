import { setTimeout } from 'node:timers/promises';
import { MAX_TIMER_MS } from './bounded.js';

/** Clock waits, so that tests can replace the time. */
export interface Clock {
  /** pause waits for some milliseconds. @throws the reason of the signal if it aborts. */
  pause(ms: number, signal: AbortSignal): Promise<void>;
}

/** systemClock is the clock of the process. */
export const systemClock: Clock = {
  async pause(ms, signal) {
    try {
      await setTimeout(Math.min(ms, MAX_TIMER_MS), undefined, { signal });
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    }
  },
};
