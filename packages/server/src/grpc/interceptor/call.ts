import { constants } from 'node:http2';
import {
  Metadata,
  ServerInterceptingCall,
  status,
  type ServerInterceptingCallInterface,
  type StatusObject,
} from '@grpc/grpc-js';
import type { Link } from '../../base/linked-list.js';
import { roleForbids, type Caller, type PeerCaller } from '../../auth/caller.js';
import { ServiceError } from '../../error/service-error.js';
import { toStatus } from '../../error/to-status.js';
import type { Batch, BatchSender } from '../paced-writer.js';
import { CallEnded, isPromise, type RpcCall } from '../rpc.js';
import { admit, checkMetadata, unauthenticated, type Arrival, type Connection } from './admit.js';
import { CallClaims } from './call-claims.js';
import { REQUEST_ID, requestIdOf } from './call-names.js';
import type { CallContext } from './call-context.js';
import type { CallFacts, CallInfo } from './call-observer.js';
import { CallRecord } from './call-record.js';
import { CallSignal } from './call-signal.js';
import { CallTimeouts } from './call-timeouts.js';
import {
  checkCompression,
  endsAlready,
  endsWithinMessage,
  followMessageSize,
  finish,
  limitReceived,
  resetStream,
  type Responder,
  waitsForReader,
  writeParts,
} from './internals.js';
import { faultOfEnd, refuseCompression, slowSender, wrongRequest } from './request-messages.js';
import type { MethodDefinition, ServedMethod } from './served-methods.js';
import { unimplemented } from './unknown-methods.js';

type Listener = Parameters<ServerInterceptingCallInterface['start']>[0];
type Status = Parameters<ServerInterceptingCallInterface['sendStatus']>[0];

/** Time for a status to arrive at a client that reads. */
const RESET_AFTER_MS = 1_000;

const SUCCESS = { code: status.OK, metadata: new Metadata() };
const NO_BYTES = new Uint8Array();
/** Stands for the metadata of a call whose metadata has not arrived. It must not change. */
const NO_METADATA = new Metadata();

/**
 * Call is one call of any service, from its metadata to the end of its stream. It stands between grpc-js and the handler
 * as the only interceptor, so everything that is received or sent passes through its methods. Handlers get it as `call`.
 *
 * Thousands of calls begin in a second. So a call has no timer of its own, and makes an AbortSignal only if it is read.
 */
export class Call extends ServerInterceptingCall implements CallInfo, RpcCall, BatchSender, Responder {
  readonly service: string;
  readonly method: string;
  readonly unknownPath: string | null;
  readonly peer: string;
  readonly connection: Connection;
  /** Empty until the metadata arrives, which is the first part of a call. */
  metadata = NO_METADATA;
  requestId = '';
  facts: CallFacts = {};
  readonly #mostMetadata: number;
  /** In milliseconds since 1970. */
  readonly #deadline: number;
  readonly #served: ServedMethod;
  readonly #transport: ServerInterceptingCallInterface;
  readonly #context: CallContext;
  readonly #record: CallRecord;
  readonly #signal: CallSignal;
  readonly #timeouts: CallTimeouts;
  #open: Link<Call> | null = null;
  /** Gets what is received and not refused. */
  #handler: Listener | null = null;
  #caller: PeerCaller | null = null;
  readonly #claims = new CallClaims();
  /** The request, if the handler of grpc-js does not serve the call. */
  #request: Uint8Array = NO_BYTES;
  #requestCame = false;
  #messages = 0;
  #sentMetadata = false;
  #sentStatus = false;
  #closed = false;

  constructor(
    definition: MethodDefinition,
    transport: ServerInterceptingCallInterface,
    arrival: Arrival,
    context: CallContext,
  ) {
    super(transport);
    const served = context.methods.of(definition);
    this.service = served.service;
    this.method = served.method;
    this.unknownPath = served.unknownPath;
    this.peer = arrival.address;
    this.connection = arrival.connection;
    this.#mostMetadata = arrival.mostMetadata;
    this.#served = served;
    this.#transport = transport;
    this.#context = context;
    const deadline = Math.min(Number(transport.getDeadline()), arrival.farDeadline);
    this.#signal = new CallSignal(deadline);
    this.#record = new CallRecord(deadline);
    this.#deadline = deadline;
    limitReceived(transport, served.receiveBytes);
    if (served.isCheck) followMessageSize(transport, served.receiveBytes, (bytes) => this.#sized(bytes));
    checkCompression(transport, this);
    this.#timeouts = new CallTimeouts(this, context);
  }

  /** Whether it may send or receive several messages. */
  get isStream(): boolean {
    return this.#served.isStream;
  }

  /** Aborts while a handler works on the call: when the client is gone, at the deadline, and at `endWith`. */
  get signal(): AbortSignal {
    return this.#signal.signal;
  }

  get aborted(): boolean {
    return this.#signal.aborted;
  }

  throwIfAborted(): void {
    this.#signal.throwIfAborted();
  }

  /**
   * The caller, once the call was admitted.
   *
   * @throws ServiceError UNAUTHENTICATED before that.
   */
  get caller(): Caller {
    if (this.#caller === null) throw unauthenticated('the caller of this call is not known');
    return this.#caller;
  }

  /** The principal that calls, whether the call was admitted or not; null if it is not known. */
  get principal(): string | null {
    return this.#context.policy.now.principalOf(this.connection.peer);
  }

  note(facts: CallFacts): void {
    this.facts = { ...this.facts, ...facts };
  }

  // Received, in this order: metadata, messages, the end of the request, the end of the stream.

  override start(handler: Listener): void {
    this.#handler = handler;
    this.#transport.start(this);
  }

  onReceiveMetadata(metadata: Metadata): void {
    // The stream was reset at once. Nothing would ever give back what the call takes now.
    if (this.#closed) return;
    this.#begin(metadata);
    const refusal = this.#refusal();
    if (refusal !== null) this.sendStatus(refusal);
    else if (this.#served.serve === null) this.#handler?.onReceiveMetadata(metadata);
    else this.#transport.startRead();
  }

  /** Refuses a message because of its compression. Returns the reason; null if it can be decompressed. */
  refuseMessage(mark: number, compression: string): Error | null {
    const refusal = refuseCompression(mark, compression);
    if (refusal === null) return null;
    this.sendStatus(refusal);
    return new Error(refusal.details ?? '');
  }

  /** Counts a request with an object for its caller, before it is in memory. */
  #sized(bytes: number): void {
    if (this.#isOver || this.#caller === null) return;
    const refusal = this.#claims.takeObject(this.#context.quotas, bytes, this.#caller.principal);
    if (refusal !== null) this.sendStatus(toStatus(refusal));
  }

  onReceiveMessage(message: unknown): void {
    this.#record.received(message);
    this.#messages += 1;
    if (!this.#served.requestStream && this.#messages > 1) {
      return this.sendStatus(wrongRequest(`${this.method} takes one request message, and more arrived`));
    }
    // If a client sends several messages, the first one has to arrive in time.
    if (this.#served.requestStream) this.#timeouts.requestArrived();
    if (this.#isOver) return;
    if (this.#served.serve === null) return this.#handler?.onReceiveMessage(message);
    if (message instanceof Uint8Array) this.#request = message;
    this.#transport.startRead();
  }

  onReceiveHalfClose(): void {
    this.#requestCame = true;
    this.#timeouts.requestArrived();
    this.#claims.requestArrived();
    if (this.#isOver) return;
    const isMissing = !this.#served.requestStream && this.#messages === 0;
    const fault = faultOfEnd(this.method, { isWithinMessage: endsWithinMessage(this.#transport), isMissing });
    if (fault !== null) this.sendStatus(fault);
    else if (this.#served.serve === null) this.#handler?.onReceiveHalfClose();
    else this.#served.serve(this, this.#request);
  }

  /**
   * Is called once for every call: when its status was sent, or when its client is gone. At its deadline it is also called if
   * the client has not read what is before the status.
   */
  onCancel(): void {
    if (!this.#closed) this.#close();
    // After its deadline the client does not wait for the rest.
    if (this.#sentMetadata && waitsForReader(this.#transport)) this.reset();
    if (this.#served.serve === null) this.#handler?.onCancel();
  }

  /**
   * Whether its status was sent or its stream is closed. grpc-js then still passes on what was received, and the end of
   * the stream as the end of the request. It would start a handler that nothing could stop any more.
   */
  get #isOver(): boolean {
    return this.#sentStatus || this.#closed;
  }

  #begin(metadata: Metadata): void {
    this.metadata = metadata;
    this.requestId = requestIdOf(metadata);
    this.#open = this.#context.open.add(this);
    this.#record.begin(this, this.#context.observer);
    // grpc-js sends a status of its own at the deadline, which never leaves if the client does not read.
    if (this.#served.serve === null) this.#timeouts.resetAfterDeadline(this.#deadline, RESET_AFTER_MS);
  }

  /** Returns the status that refuses the call before its message is read; null if it may continue. */
  #refusal(): Status | null {
    try {
      const { policy, ending, limits, quotas } = this.#context;
      this.#caller = admit(this.connection, policy, this.#served.needed, this.method);
      if (this.isStream && ending !== null) throw ending;
      if (this.#mostMetadata > limits.maxMetadataBytes) checkMetadata(this.metadata, limits.maxMetadataBytes);
      this.#claims.take(quotas, this.#served, this.#caller.principal);
    } catch (error) {
      if (error instanceof ServiceError) return toStatus(error);
      throw error;
    }
    return this.unknownPath === null ? null : unimplemented(this.unknownPath);
  }

  #close(): void {
    this.#closed = true;
    this.#timeouts.end();
    this.#record.gone();
    if (!this.#requestCame) this.#dropRequest();
    if (this.#open !== null) this.#context.open.remove(this.#open);
    this.#claims.end();
    if (this.#record.handling) this.#signal.abort(CallEnded.cancelled());
  }

  /** RFC 9113 (8.1): the rest of the request is of no use. grpc-js would keep the stream until the client ends it. */
  #dropRequest(): void {
    const drop = (): void => resetStream(this.#transport, constants.NGHTTP2_NO_ERROR);
    // A status that follows messages is still in a queue, and a reset drops it there. A client that gets it ends the stream.
    if (this.#sentMetadata) setTimeout(drop, RESET_AFTER_MS).unref();
    // Another status leaves at the end of this turn. The HTTP/2 of Node 22 drops it if the stream is reset before.
    else setImmediate(drop);
  }

  // Used by handlers.

  /**
   * Runs the handler, then one of the callbacks. A handler that returns no promise is done when this returns.
   *
   * @param onFailure - must call `failed`
   */
  handle<T>(
    work: () => T | Promise<T>,
    onResult: (result: T) => void,
    onFailure: (error: unknown) => void,
  ): void {
    const succeeded = (result: T): void => {
      this.#signal.end();
      this.#record.handled(null);
      onResult(result);
    };
    const failed = (error: unknown): void => {
      this.#signal.end();
      onFailure(error);
    };
    this.#signal.begin();
    let result: T | Promise<T>;
    try {
      result = this.#record.run(work);
    } catch (error) {
      failed(error);
      return;
    }
    if (isPromise(result)) result.then(succeeded, failed);
    else succeeded(result);
  }

  /** Notes the status of a handler that failed, before the client gets it. */
  failed(failure: Pick<StatusObject, 'code' | 'metadata'>): void {
    this.#record.handled(failure);
  }

  // Sent, in this order: metadata, messages, a status.

  /** Sends the metadata that grpc-js, or a handler, has made for this call. */
  override sendMetadata(metadata: Metadata): void {
    this.#sentMetadata = true;
    metadata.set(REQUEST_ID, this.requestId);
    this.#transport.sendMetadata(metadata);
  }

  /**
   * Drops messages after the status: a handler's stream may still hold some. grpc-js would write them after the end of the
   * HTTP/2 stream, which then never ends: the client gets no status, and the drain waits for its whole time.
   */
  override sendMessage(message: unknown, callback: () => void): void {
    if (this.#sentStatus) return;
    if (!this.#sentMetadata) this.sendMetadata(new Metadata());
    this.#record.sent(message);
    this.#transport.sendMessage(message, callback);
  }

  /** Sends messages of a stream at once, without the copies and the turns that `sendMessage` needs for each. */
  sendBatch({ parts, messages, bytes }: Batch, sent: () => void): void {
    if (this.#sentStatus) return;
    if (!this.#sentMetadata) this.sendMetadata(new Metadata());
    this.#record.sentBatch(messages, bytes);
    writeParts(this.#transport, parts, sent);
  }

  /** Sends a status, unless one was sent. */
  override sendStatus(sent: Status): void {
    if (this.#sentStatus) return;
    this.#sentStatus = true;
    this.#record.sentStatus({ code: sent.code ?? 0, metadata: sent.metadata ?? new Metadata() });
    if (endsAlready(this.#transport)) return;
    // A call that fails before any message has no other metadata than its trailers.
    this.#transport.sendStatus(
      this.#sentMetadata ? sent : { ...sent, metadata: this.#withRequestId(sent.metadata) },
    );
  }

  /** Sends the last messages of a call that succeeded, and the status when they have left. */
  succeed({ parts, messages, bytes }: Batch): void {
    if (this.#isOver) return;
    const requestId = this.#sentMetadata ? null : this.requestId;
    this.#sentMetadata = true;
    this.#sentStatus = true;
    this.#record.sentBatch(messages, bytes);
    finish(this.#transport, requestId, parts, this);
    this.resetIfUnread();
  }

  responsesLeft(): void {
    this.#record.sentStatus(SUCCESS);
    this.#close();
  }

  #withRequestId(metadata: Metadata | null | undefined): Metadata {
    const all = metadata?.clone() ?? new Metadata();
    all.set(REQUEST_ID, this.requestId);
    return all;
  }

  /**
   * Ends the call with an error, whatever its handler does.
   *
   * @param resetMs - time for the status to arrive, after which the stream is reset
   */
  endWith(error: ServiceError, resetMs = RESET_AFTER_MS): void {
    if (this.#record.handling) this.#signal.abort(error);
    this.sendStatus(toStatus(error));
    this.resetAfter(resetMs);
  }

  /** Ends the call if it needed a role that its caller does not have any more. */
  endIfForbidden(): void {
    const lost = this.#caller?.lost() ?? null;
    if (this.#caller !== null && lost !== null) this.endWith(roleForbids(this.#caller, lost, this.method));
  }

  /** A client could otherwise begin calls, send nothing more, and keep them for as long as it likes. */
  endLate(): void {
    this.sendStatus(toStatus(slowSender(this.#context.limits.requestMs)));
  }

  /**
   * Resets the stream after a time, unless it is closed by then. A client that does not read never gets the status, because
   * flow control holds back the messages before it. The stream would stay open for as long as the client likes.
   */
  resetAfter(ms: number): void {
    this.#timeouts.resetAfter(ms);
  }

  /**
   * Resets the stream after the time for slow readers, unless it is closed by then. A client could otherwise keep what it has
   * not read of an ended call for as long as it likes.
   */
  resetIfUnread(): void {
    this.#timeouts.resetIfUnread();
  }

  /** Resets the stream, unless it is closed. */
  reset(): void {
    resetStream(this.#transport, constants.NGHTTP2_CANCEL);
  }
}
