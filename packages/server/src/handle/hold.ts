import { ErrorReason } from '@btfd/api';
import type { Clock } from '../base/clock.js';
import { wait } from '../base/wait.js';
import { ServiceError } from '../error/service-error.js';

/** Hold is the set of handles that one stream holds open. It has a limit. */
export class Hold {
  readonly #tokens = new Set<string>();
  readonly #limit: number;
  readonly #stallMs: number;
  readonly #clock: Clock;
  #aliveAt = 0;
  #onRelease: (() => void) | null = null;

  constructor(limit: number, stallMs: number, clock: Clock) {
    this.#limit = limit;
    this.#stallMs = stallMs;
    this.#clock = clock;
  }

  /** The tokens of the handles held now. */
  held(): string[] {
    return [...this.#tokens];
  }

  add(token: string): void {
    this.#tokens.add(token);
  }

  /** Forgets a handle that was taken or closed. */
  delete(token: string): void {
    if (!this.#tokens.delete(token)) return;
    this.touch();
    this.#onRelease?.();
  }

  /** Notes a sign of life: a handle was renewed or used. */
  touch(): void {
    this.#aliveAt = this.#clock.now();
  }

  /**
   * Waits until one more handle may be held.
   *
   * @throws ServiceError with HOLD_STALLED if none is taken, closed, renewed or used for too long.
   * @throws the signal's reason if it aborts.
   */
  async room(signal: AbortSignal): Promise<void> {
    await this.#fewerThan(this.#limit, signal);
  }

  /**
   * Waits until no handle is held: the last ones of a stream stay valid until their client is done with them.
   *
   * @throws ServiceError with HOLD_STALLED if none is taken, closed, renewed or used for too long.
   * @throws the signal's reason if it aborts.
   */
  async empty(signal: AbortSignal): Promise<void> {
    await this.#fewerThan(1, signal);
  }

  async #fewerThan(count: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.touch();
    while (this.#tokens.size >= count) {
      const left = this.#aliveAt + this.#stallMs - this.#clock.now();
      if (left <= 0) throw this.#stalled();
      await wait(
        (wake) => {
          this.#onRelease = wake;
          return () => (this.#onRelease = null);
        },
        { signal, ms: left, clock: this.#clock },
      );
    }
  }

  #stalled(): ServiceError {
    const message = `the stream holds ${this.#tokens.size} handles, and none was taken, closed, renewed or used for ${this.#stallMs} ms`;
    return new ServiceError(ErrorReason.HOLD_STALLED, message, { metadata: { limit: String(this.#limit) } });
  }
}
