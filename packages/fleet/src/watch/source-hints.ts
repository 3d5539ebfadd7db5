import type { Clock } from '../base/clock.js';
import { orAborted } from '../base/bounded.js';
import type { NodeSource } from '../source/node-source.js';

/** The pauses between attempts at a source that fails. */
const FIRST_PAUSE_MS = 1_000;
const LAST_PAUSE_MS = 60_000;

/** pauseAfter returns the pause after a number of failures in a row, in milliseconds. */
export function pauseAfter(failures: number): number {
  return Math.min(LAST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failures - 1));
}

/** SourceHints follows what a source says of its changes. Hints that nobody has taken yet are one. */
export class SourceHints {
  #isHinted = false;
  #failure: Error | null = null;
  #lastMessage: string | null = null;
  #wake = (): void => {};
  readonly #running: Promise<void>;

  /** Follows the source until the signal aborts. */
  constructor(source: NodeSource, clock: Clock, signal: AbortSignal) {
    this.#running = this.#follow(source, clock, signal).catch(() => {});
  }

  /** next waits for a hint or a failure of the source. */
  async next(): Promise<void> {
    if (!this.#isHinted && this.#failure === null)
      await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  /** take forgets the hints until now, and returns the failure among them. */
  take(): Error | null {
    const failure = this.#failure;
    this.#failure = null;
    this.#isHinted = false;
    return failure;
  }

  /** ended waits until the source is left, after the signal has aborted. */
  async ended(): Promise<void> {
    await this.#running;
  }

  async #follow(source: NodeSource, clock: Clock, signal: AbortSignal): Promise<void> {
    for (let failures = 1; source.changes !== undefined; failures++) {
      try {
        const changes = source.changes({ signal })[Symbol.asyncIterator]();
        try {
          for (;;) {
            // A source of others may ignore the signal.
            const { done } = await orAborted(changes.next(), signal);
            if (done === true) throw new Error(`${source.description} says no more when its nodes change`);
            failures = 0;
            this.#lastMessage = null;
            this.#hint();
          }
        } finally {
          // It may hang as well, so nobody waits for it.
          void changes.return?.().catch(() => {});
        }
      } catch (error) {
        signal.throwIfAborted();
        const failure = error instanceof Error ? error : new Error(String(error));
        // Reported once, and not after each attempt.
        if (failure.message !== this.#lastMessage) this.#failure = failure;
        this.#lastMessage = failure.message;
        // It may have missed a change.
        this.#hint();
      }
      await clock.pause(pauseAfter(Math.max(1, failures)), signal);
    }
  }

  #hint(): void {
    this.#isHinted = true;
    this.#wake();
  }
}
