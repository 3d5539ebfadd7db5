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
    const now = performance.now();
    // A callback may run before the timer that is late.
    const current = Math.max(0, now - this.#expected);
    return this.#delays.reduce((most, { at, ms }) => (at >= time ? Math.max(most, ms) : most), current);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #measure(): void {
    const now = performance.now();
    const ms = now - this.#expected;
    if (ms >= SHORTEST_MS)
      this.#delays = [...this.#delays.filter(({ at }) => at > now - KEPT_MS), { at: now, ms }];
    this.#expected = now + PERIOD_MS;
  }
}
