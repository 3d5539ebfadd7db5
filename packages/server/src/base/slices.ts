import { setImmediate } from 'node:timers/promises';
import type { Clock } from './clock.js';

/** How long work keeps the event loop at a time, in milliseconds, and what its last step takes. */
const SLICE_MS = 2;

/** inSlices does work whose every `yield` ends a step, and lets others run between steps. Answers what it returns. */
export async function inSlices<T>(work: Iterator<void, T, void>, clock: Clock): Promise<T> {
  for (;;) {
    const end = clock.now() + SLICE_MS;
    do {
      const step = work.next();
      if (step.done === true) return step.value;
    } while (clock.now() < end);
    await setImmediate();
  }
}
