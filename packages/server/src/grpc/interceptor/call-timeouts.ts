import { atDate } from '../../base/clock.js';
import type { Timeout } from '../../base/timeouts.js';
import type { Call } from './call.js';
import type { CallContext } from './call-context.js';

/** CallTimeouts are the times after which one call is ended or reset. Thousands of calls begin in a second, so most have no timer. */
export class CallTimeouts {
  readonly #call: Call;
  readonly #context: CallContext;
  readonly #arriving: Timeout<Call>;
  #unread: Timeout<Call> | null = null;
  #resetTimer: NodeJS.Timeout | undefined;
  #resetAt = Infinity;
  #stopWaiting: (() => void) | null = null;
  #ended = false;

  /** From here on the request must arrive in time. */
  constructor(call: Call, context: CallContext) {
    this.#call = call;
    this.#context = context;
    this.#arriving = context.arriving.add(call);
  }

  /** Notes that the request has arrived. */
  requestArrived(): void {
    this.#context.arriving.delete(this.#arriving);
  }

  /** Resets the stream some time after the deadline of the call, unless it is closed by then. */
  resetAfterDeadline(deadline: number, ms: number): void {
    this.#stopWaiting = atDate(deadline, () => this.resetAfter(ms));
  }

  /** Resets the stream after a time, unless it is closed by then. */
  resetAfter(ms: number): void {
    const at = performance.now() + ms;
    if (this.#ended || at >= this.#resetAt) return;
    this.#resetAt = at;
    clearTimeout(this.#resetTimer);
    this.#resetTimer = setTimeout(() => this.#call.reset(), ms).unref();
  }

  /** Resets the stream after the time for slow readers, unless it is closed by then. */
  resetIfUnread(): void {
    if (!this.#ended) this.#unread ??= this.#context.unread.add(this.#call);
  }

  /** Notes that the stream is closed. */
  end(): void {
    this.#ended = true;
    this.requestArrived();
    if (this.#unread !== null) this.#context.unread.delete(this.#unread);
    clearTimeout(this.#resetTimer);
    this.#stopWaiting?.();
  }
}
