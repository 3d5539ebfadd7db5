import { orAborted } from '../base/bounded.js';
import type { Clock } from '../base/clock.js';

/** ManualClock is a clock whose pauses end when a test says so. */
export class ManualClock implements Clock {
  readonly #pauses = new Set<{ readonly ms: number; readonly end: () => void }>();
  #changed = (): void => {};

  async pause(ms: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const over = new Promise<void>((end) => this.#pauses.add({ ms, end }));
    this.#changed();
    await orAborted(over, signal);
  }

  /** Waits until there is a pause of some milliseconds. Returns the function that ends it. */
  async waiting(ms: number): Promise<() => void> {
    for (;;) {
      const pause = [...this.#pauses].find((each) => each.ms === ms);
      if (pause === undefined) await new Promise<void>((resolve) => (this.#changed = resolve));
      else return () => void (this.#pauses.delete(pause) && pause.end());
    }
  }

  /** Waits until there is a pause of some milliseconds, and ends it. */
  async end(ms: number): Promise<void> {
    (await this.waiting(ms))();
  }
}
