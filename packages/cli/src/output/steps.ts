import { clip } from './table.js';
import type { Stream } from './terminal.js';

/** Shorter work shows nothing. */
const DELAY_MS = 500;

const CLEAR_LINE = '\r\u001B[K';

/** Steps shows on a terminal how much of a long command is done. */
export class Steps implements Disposable {
  /** Null if nobody would see it. */
  readonly #stream: Stream | null;
  readonly #now: () => number;
  readonly #startedAt: number;
  #isShown = false;

  /** @param now returns the milliseconds of a clock. */
  constructor(stream: Stream | null, now: () => number) {
    this.#stream = stream;
    this.#now = now;
    this.#startedAt = now();
  }

  /** Shows the number of steps that are done. */
  update(done: number, total: number): void {
    this.show(`${done} of ${total}`);
  }

  /** Shows a state in words. A line that wrapped could not be replaced, so it is cut to the width of the terminal. */
  show(state: string): void {
    if (this.#stream === null || this.#now() - this.#startedAt < DELAY_MS) return;
    this.#isShown = true;
    this.#stream.write(`${CLEAR_LINE}${clip(state, (this.#stream.columns ?? Infinity) - 1)}`);
  }

  [Symbol.dispose](): void {
    if (this.#isShown) this.#stream?.write(CLEAR_LINE);
    this.#isShown = false;
  }
}
