import { atDate } from '../../base/clock.js';
import { CallEnded } from '../rpc.js';

/**
 * CallSignal is the signal of a call. It makes an AbortSignal, and a timer for the deadline, only if somebody waits for
 * them: most calls end before.
 */
export class CallSignal {
  /** In milliseconds since 1970. */
  readonly #deadline: number;
  #controller: AbortController | null = null;
  /** The reason of the signal, once it has aborted. */
  #reason: Error | null = null;
  #stopWaiting: (() => void) | null = null;
  #handling = false;

  /** @param deadline - in milliseconds since 1970 */
  constructor(deadline: number) {
    this.#deadline = deadline;
  }

  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      // A deadline that has passed aborts it later, so that whoever reads it can listen first.
      if (this.#reason !== null) this.#controller.abort(this.#reason);
      else if (this.#handling) this.#waitForDeadline();
    }
    return this.#controller.signal;
  }

  get aborted(): boolean {
    if (this.#handling && Date.now() > this.#deadline) this.abort(CallEnded.deadline());
    return this.#reason !== null;
  }

  throwIfAborted(): void {
    if (this.aborted && this.#reason !== null) throw this.#reason;
  }

  /** Notes that a handler begins to work on the call. From here on the deadline counts. */
  begin(): void {
    this.#handling = true;
    if (this.#controller !== null) this.#waitForDeadline();
  }

  /** Notes that the handler has ended. The signal does not abort any more. */
  end(): void {
    this.#handling = false;
    this.#stopWaiting?.();
  }

  /** Aborts the signal while the handler works, unless it has aborted. */
  abort(reason: Error): void {
    if (!this.#handling || this.#reason !== null) return;
    this.#reason = reason;
    this.#controller?.abort(reason);
  }

  /** A deadline closes no stream whose client does not read, so it needs a timer. */
  #waitForDeadline(): void {
    this.#stopWaiting = atDate(this.#deadline, () => this.abort(CallEnded.deadline()));
  }
}
