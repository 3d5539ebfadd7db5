import { Metadata, status, type StatusObject } from '@grpc/grpc-js';
import { reasonInStatus } from '../../error/to-status.js';
import type { CallFacts, CallInfo, CallObservation, CallObserver } from './call-observer.js';

/** What is known of a call when its metadata comes. */
export type CallStart = Omit<CallInfo, 'facts'> & { readonly deadline: number };

type Status = Pick<StatusObject, 'code' | 'metadata'>;

/**
 * CallRecord follows one call to its end, and tells its observer once. A call ends with its status, or when its
 * client is gone and no handler works on it any more.
 */
export class CallRecord implements CallInfo {
  readonly service: string;
  readonly method: string;
  readonly unknownPath: string | null;
  readonly metadata: Metadata;
  readonly requestId: string;
  readonly peer: string;
  private readonly deadline: number;
  private readonly startedAt = performance.now();
  private readonly observation: CallObservation;
  private told: CallFacts = {};
  /** What the handler failed with. */
  private failure: Status | null = null;
  private handling = false;
  private clientGone = false;
  private isEnded = false;
  private sentMessages = 0;
  private sentBytes = 0;
  private receivedBytes = 0;

  constructor(start: CallStart, observer: CallObserver) {
    this.service = start.service;
    this.method = start.method;
    this.unknownPath = start.unknownPath;
    this.metadata = start.metadata;
    this.requestId = start.requestId;
    this.peer = start.peer;
    this.deadline = start.deadline;
    this.observation = observer.begin(this);
  }

  get facts(): CallFacts {
    return this.told;
  }

  /** Adds to what is known of the call. */
  note(facts: CallFacts): void {
    this.told = { ...this.told, ...facts };
  }

  /** Runs the handler. `handled` must follow. */
  run<T>(work: () => T): T {
    this.handling = true;
    return this.observation.run === undefined ? work() : this.observation.run(work);
  }

  /** Takes note of the handler's end, before the client is told. A handler that answered has no failure. */
  handled(failure: Status | null): void {
    this.handling = false;
    this.failure = failure;
    if (this.clientGone) this.endWithoutStatus();
  }

  received(message: unknown): void {
    if (message instanceof Uint8Array) this.receivedBytes += message.length;
  }

  sent(message: unknown): void {
    this.sentMessages += 1;
    if (message instanceof Uint8Array) this.sentBytes += message.length;
  }

  /** Takes note of the status that is sent. */
  sentStatus(sent: Status): void {
    if (!this.isEnded) this.end(sent);
  }

  /** Takes note that the client is gone, or that all was sent. */
  gone(): void {
    this.clientGone = true;
    if (!this.handling) this.endWithoutStatus();
  }

  /** The status that was never sent, or that grpc-js sent by itself, is the handler's if it failed by itself. */
  private endWithoutStatus(): void {
    if (this.isEnded) return;
    if (this.failure !== null && this.failure.code !== status.CANCELLED) return this.end(this.failure);
    // Timers may come a millisecond early.
    const late = Date.now() + 1 >= this.deadline;
    const code = late ? status.DEADLINE_EXCEEDED : status.CANCELLED;
    this.end({ code, metadata: new Metadata() });
  }

  private end({ code, metadata }: Status): void {
    this.isEnded = true;
    const { sentMessages, sentBytes, receivedBytes } = this;
    const durationMs = performance.now() - this.startedAt;
    const reason = code === status.OK ? null : reasonInStatus(metadata);
    this.observation.end({ code, reason, durationMs, sentMessages, sentBytes, receivedBytes });
  }
}
