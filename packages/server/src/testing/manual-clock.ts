import type { Clock, Timer } from '../base/clock.js';

interface Waiting {
  readonly at: number;
  readonly callback: () => void;
}

/** ManualClock is a clock that only moves when a test advances it. */
export class ManualClock implements Clock {
  #time = 0;
  readonly #waiting = new Set<Waiting>();

  now(): number {
    return this.#time;
  }

  after(ms: number, callback: () => void): Timer {
    const timer = { at: this.#time + ms, callback };
    this.#waiting.add(timer);
    return { cancel: () => void this.#waiting.delete(timer) };
  }

  /** The number of waiting timers. */
  get timers(): number {
    return this.#waiting.size;
  }

  /** advance moves the clock, and calls each due timer at its time, in the order of time. */
  advance(ms: number): void {
    const end = this.#time + ms;
    for (let next = this.#nextUntil(end); next !== undefined; next = this.#nextUntil(end)) {
      this.#waiting.delete(next);
      this.#time = next.at;
      next.callback();
    }
    this.#time = end;
  }

  #nextUntil(end: number): Waiting | undefined {
    return [...this.#waiting].filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at)[0];
  }
}
