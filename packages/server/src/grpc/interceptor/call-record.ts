import { Metadata, status, type StatusObject } from '@grpc/grpc-js';
import { reasonInStatus } from '../../error/to-status.js';
import type { CallInfo, CallObservation, CallObserver } from './call-observer.js';

type Status = Pick<StatusObject, 'code' | 'metadata'>;

const NOT_OBSERVED: CallObservation = { end() {} };

/**
 * CallRecord counts what a call sends and receives, and notifies the observer of its end once. A call ends with its
 * status, or when its client is gone and its handler has ended.
 */
export class CallRecord {
  readonly #deadline: number;
  readonly #startedAt = performance.now();
  #observation = NOT_OBSERVED;
  /** The error of the handler. */
  #failure: Status | null = null;
  #handling = false;
  #clientGone = false;
  #isEnded = false;
  #sentMessages = 0;
  #sentBytes = 0;
  #receivedBytes = 0;

  /** @param deadline - of the call, in milliseconds since 1970 */
  constructor(deadline: number) {
    this.#deadline = deadline;
  }

  /** Whether the handler works on the call. */
  get handling(): boolean {
    return this.#handling;
  }

  /** Notifies the observer of the call. */
  begin(call: CallInfo, observer: CallObserver): void {
    this.#observation = observer.begin(call);
  }

  /** Runs the handler. `handled` must follow. */
  run<T>(work: () => T): T {
    this.#handling = true;
    return this.#observation.run === undefined ? work() : this.#observation.run(work);
  }

  /** Notes that the handler has ended, before the client gets the result. */
  handled(failure: Status | null): void {
    this.#handling = false;
    this.#failure = failure;
    if (this.#clientGone) this.#endWithoutStatus();
  }

  received(message: unknown): void {
    if (message instanceof Uint8Array) this.#receivedBytes += message.length;
  }

  sent(message: unknown): void {
    this.sentBatch(1, message instanceof Uint8Array ? message.length : 0);
  }

  sentBatch(messages: number, bytes: number): void {
    this.#sentMessages += messages;
    this.#sentBytes += bytes;
  }

  sentStatus(sent: Status): void {
    if (!this.#isEnded) this.#end(sent);
  }

  /** Notes that the client is gone, or that everything was sent. */
  gone(): void {
    this.#clientGone = true;
    if (!this.#handling) this.#endWithoutStatus();
  }

  /** If no status was sent, or grpc-js sent one itself, the handler's own failure counts. */
  #endWithoutStatus(): void {
    if (this.#isEnded) return;
    if (this.#failure !== null && this.#failure.code !== status.CANCELLED) return this.#end(this.#failure);
    // Timers may fire a millisecond early.
    const late = Date.now() + 1 >= this.#deadline;
    const code = late ? status.DEADLINE_EXCEEDED : status.CANCELLED;
    this.#end({ code, metadata: new Metadata() });
  }

  #end({ code, metadata }: Status): void {
    this.#isEnded = true;
    this.#observation.end({
      code,
      reason: code === status.OK ? null : reasonInStatus(metadata),
      durationMs: performance.now() - this.#startedAt,
      sentMessages: this.#sentMessages,
      sentBytes: this.#sentBytes,
      receivedBytes: this.#receivedBytes,
    });
  }
}
