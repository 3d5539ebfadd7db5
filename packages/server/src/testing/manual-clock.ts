import type { Clock, Timer } from '../base/clock.js';

interface Waiting {
  readonly at: number;
  readonly callback: () => void;
}

/** ManualClock is a clock that moves only when a test says so. */
export class ManualClock implements Clock {
  private time = 0;
  private readonly waiting = new Set<Waiting>();

  now(): number {
    return this.time;
  }

  after(ms: number, callback: () => void): Timer {
    const timer = { at: this.time + ms, callback };
    this.waiting.add(timer);
    return { cancel: () => void this.waiting.delete(timer) };
  }

  /** Number of timers that wait. */
  get timers(): number {
    return this.waiting.size;
  }

  /** Moves on, and calls back in the order of time, at the time asked for. */
  advance(ms: number): void {
    const end = this.time + ms;
    for (let next = this.nextUntil(end); next !== undefined; next = this.nextUntil(end)) {
      this.waiting.delete(next);
      this.time = next.at;
      next.callback();
    }
    this.time = end;
  }

  private nextUntil(end: number): Waiting | undefined {
    return [...this.waiting].filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at)[0];
  }
}
