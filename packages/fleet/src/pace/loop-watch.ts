/** How often the delay is measured. */
const PERIOD_MS = 50;
/** Shorter delays are usual. */
const SHORTEST_MS = 50;
/** Longer than every call of a survey, to know of the delays in its time. */
const KEPT_MS = 120_000;

interface Delay {
  readonly at: number;
  readonly ms: number;
}

/**
 * LoopWatch measures how late the event loop of this process runs its timers, so that a node that does not respond
 * differs from a process that does not listen. Its timer does not keep the process alive. Disposing of it stops the timer.
 */
export class LoopWatch implements Disposable {
  #expected = performance.now() + PERIOD_MS;
  #delays: Delay[] = [];
  readonly #timer = setInterval(() => this.#measure(), PERIOD_MS).unref();

  /** delaySince returns the longest delay that ended after a time of `performance.now()`, in milliseconds. */
  delaySince(time: number): number {
    return Math.max(0, ...this.#since(time));
  }

  /** lostSince returns the sum of the delays that ended after a time of `performance.now()`, in milliseconds. */
  lostSince(time: number): number {
    return this.#since(time).reduce((sum, ms) => sum + ms, 0);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #since(time: number): number[] {
    // A callback may run before the timer that is late.
    const current = performance.now() - this.#expected;
    const ended = this.#delays.filter(({ at }) => at >= time).map(({ ms }) => ms);
    return current >= SHORTEST_MS ? [...ended, current] : ended;
  }

  #measure(): void {
    const now = performance.now();
    const ms = now - this.#expected;
    if (ms >= SHORTEST_MS)
      this.#delays = [...this.#delays.filter(({ at }) => at > now - KEPT_MS), { at: now, ms }];
    this.#expected = now + PERIOD_MS;
  }
}
