import { constants } from 'node:http2';
import { BtfService, ErrorReason } from '@btfd/api';
import {
  Metadata,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  type StatusObject,
} from '@grpc/grpc-js';
import { roleForbids, type Caller, type PeerCaller } from '../../auth/caller.js';
import type { CurrentPolicy } from '../../auth/policy.js';
import { atDate } from '../../base/clock.js';
import type { Limits } from '../../config/limits.js';
import { ServiceError } from '../../error/service-error.js';
import { toStatus } from '../../error/to-status.js';
import type { Claim } from '../../quota/quota.js';
import type { Quotas } from '../../quota/quotas.js';
import { roleForPath } from '../method-roles.js';
import type { Batch, BatchSender } from '../paced-writer.js';
import { CallEnded, type RpcCall } from '../rpc.js';
import { admit, checkMetadata, unauthenticated, type Arrival, type Connection } from './admit.js';
import { methodOf, REQUEST_ID, requestIdOf } from './call-names.js';
import type { CallFacts, CallInfo, CallObserver } from './call-observer.js';
import { CallRecord } from './call-record.js';
import {
  checkCompression,
  endsAlready,
  endsWithinMessage,
  limitReceived,
  resetStream,
  writeParts,
} from './internals.js';
import { brokenRequest, refuseCompression, wrongRequest } from './request-messages.js';
import { isUnknown, unimplemented } from './unknown-methods.js';

/** CallContext is everything that the calls of a daemon share. */
export interface CallContext {
  readonly policy: CurrentPolicy;
  readonly observer: CallObserver;
  readonly quotas: Pick<Quotas, 'calls' | 'streams' | 'loads'>;
  readonly limits: Pick<Limits, 'requestMs' | 'maxMetadataBytes' | 'maxLoadMessageBytes' | 'maxMessageBytes'>;
  /** The calls that have begun and whose stream is not closed. */
  readonly open: Set<Call>;
  /** The error of every new stream, once the daemon is shutting down. Unary calls are still accepted. */
  ending: ServiceError | null;
}

/**
 * Where the metadata of a call has the call: metadata is the only thing that grpc-js passes to interceptors and handlers. In
 * a WeakMap, the values of new keys count as used until the next collection of all garbage, which takes milliseconds more.
 */
const CALL = Symbol('call');

type Method = Parameters<ServerInterceptor>[0];
type Listener = Parameters<ServerInterceptingCallInterface['start']>[0];
type Status = Parameters<ServerInterceptingCallInterface['sendStatus']>[0];

const OWN_PATH = `/${BtfService.typeName}/`;
const LOAD_PATH = `${OWN_PATH}${BtfService.method.loadHandle.name}`;
/** A request that is a little too large gets our own error. One that is larger than this is not even kept. */
const RECEIVED_TIMES = 2;
/** A request of health or reflection has a name or two. While a client of reflection does not read, some 30 of them wait. */
const STANDARD_BYTES = 4 * 1024;
/** Time for a status to arrive at a client that reads. */
const RESET_AFTER_MS = 1_000;

/**
 * Call is one call of any service, from its metadata to the end of its stream. It stands between grpc-js and the handler
 * as the only interceptor, so everything that is received or sent passes through its methods. Handlers get it as `call`.
 */
export class Call extends ServerInterceptingCall implements CallInfo, RpcCall, BatchSender {
  readonly service: string;
  readonly method: string;
  readonly unknownPath: string | null;
  readonly peer: string;
  readonly connection: Connection;
  /** Empty until the metadata arrives, which is the first part of a call. */
  metadata = new Metadata();
  requestId = '';
  facts: CallFacts = {};
  readonly #definition: Method;
  readonly #transport: ServerInterceptingCallInterface;
  readonly #context: CallContext;
  readonly #record: CallRecord;
  /** Made when the signal is first read: most calls end before anything waits for it. */
  #abort: AbortController | null = null;
  /** The reason of the signal, once it has aborted. */
  #abortReason: Error | null = null;
  readonly #claims: Claim[] = [];
  readonly #requestTimer: NodeJS.Timeout;
  /** In milliseconds since 1970. */
  readonly #deadline: number;
  #caller: PeerCaller | null = null;
  #requestCame = false;
  #messages = 0;
  #sentMetadata = false;
  #sentStatus = false;
  #closed = false;
  #resetTimer: NodeJS.Timeout | undefined;
  #resetAt = Infinity;

  constructor(
    definition: Method,
    transport: ServerInterceptingCallInterface,
    { connection, farDeadline }: Arrival,
    context: CallContext,
  ) {
    super(transport);
    const { path } = definition;
    const { service, method, unknownPath } = methodOf(path, !isUnknown(definition));
    this.service = service;
    this.method = method;
    this.unknownPath = unknownPath;
    const peer = transport.getPeer();
    // grpc-js has no address for the peer of a unix socket.
    this.peer = peer === 'unknown' ? '' : peer;
    this.connection = connection;
    this.#definition = definition;
    this.#transport = transport;
    this.#context = context;
    this.#deadline = Math.min(Number(transport.getDeadline()), farDeadline);
    this.#record = new CallRecord(this.#deadline);
    limitReceived(transport, receiveBytes(path, context.limits));
    checkCompression(transport, (mark, compression) => {
      const refusal = refuseCompression(mark, compression);
      if (refusal === null) return;
      this.sendStatus(refusal);
      throw new Error(refusal.details);
    });
    this.#requestTimer = setTimeout(() => this.#slowSender(), context.limits.requestMs).unref();
  }

  /** Returns the call with this metadata; null if it did not begin. */
  static of(metadata: Metadata): Call | null {
    const call: unknown = Reflect.get(metadata, CALL);
    return call instanceof Call ? call : null;
  }

  /** Whether it may send or receive several messages. */
  get isStream(): boolean {
    return this.#definition.requestStream || this.#definition.responseStream;
  }

  /** Aborts while a handler works on the call: when the client is gone, at the deadline, and at `endWith`. */
  get signal(): AbortSignal {
    if (this.#abort === null) {
      this.#abort = new AbortController();
      if (this.#abortReason !== null) this.#abort.abort(this.#abortReason);
    }
    return this.#abort.signal;
  }

  get aborted(): boolean {
    return this.#abortReason !== null;
  }

  throwIfAborted(): void {
    if (this.#abortReason !== null) throw this.#abortReason;
  }

  #abortWith(reason: Error): void {
    if (this.#abortReason !== null) return;
    this.#abortReason = reason;
    this.#abort?.abort(reason);
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
    this.#transport.start({
      onReceiveMetadata: (metadata) => {
        // The stream was reset at once. Nothing would ever give back what the call takes now.
        if (this.#closed) return;
        this.#begin(metadata);
        const refusal = this.#refusal();
        if (refusal === null) handler.onReceiveMetadata(metadata);
        else this.sendStatus(refusal);
      },
      onReceiveMessage: (message) => {
        this.#record.received(message);
        this.#messages += 1;
        if (!this.#definition.requestStream && this.#messages > 1) {
          return this.sendStatus(wrongRequest(`${this.method} takes one request message, and more arrived`));
        }
        // If a client sends several messages, the first one has to arrive in time.
        if (this.#definition.requestStream) clearTimeout(this.#requestTimer);
        if (!this.#isOver) handler.onReceiveMessage(message);
      },
      onReceiveHalfClose: () => {
        this.#requestCame = true;
        clearTimeout(this.#requestTimer);
        if (this.#isOver) return;
        const fault = this.#faultOfRequest();
        if (fault === null) handler.onReceiveHalfClose();
        else this.sendStatus(fault);
      },
      // Called once for every call: when its status was sent, or when its client is gone.
      onCancel: () => {
        this.#close();
        handler.onCancel();
      },
    });
  }

  /**
   * Whether its status was sent or its stream is closed. grpc-js then still passes on what was received, and the end of
   * the stream as the end of the request. It would start a handler that nothing could stop any more.
   */
  get #isOver(): boolean {
    return this.#sentStatus || this.#closed;
  }

  #faultOfRequest(): Status | null {
    if (endsWithinMessage(this.#transport)) return brokenRequest('the request ended within a message');
    if (this.#definition.requestStream || this.#messages > 0) return null;
    return wrongRequest(`${this.method} takes one request message, and none arrived`);
  }

  #begin(metadata: Metadata): void {
    this.metadata = metadata;
    this.requestId = requestIdOf(metadata);
    Reflect.set(metadata, CALL, this);
    this.#context.open.add(this);
    this.#record.begin(this, this.#context.observer);
  }

  /** Returns the status that refuses the call before its message is read; null if it may continue. */
  #refusal(): Status | null {
    try {
      const { policy, ending, limits } = this.#context;
      // Every known caller may learn that a method is not served.
      const needed = this.unknownPath === null ? roleForPath(this.#definition.path) : null;
      this.#caller = admit(this.connection, policy, needed, this.method);
      if (this.isStream && ending !== null) throw ending;
      checkMetadata(this.metadata, limits.maxMetadataBytes);
      this.#takeQuotas(this.#caller);
    } catch (error) {
      if (error instanceof ServiceError) return toStatus(error);
      throw error;
    }
    return this.unknownPath === null ? null : unimplemented(this.unknownPath);
  }

  #takeQuotas({ principal }: Caller): void {
    const { quotas } = this.#context;
    this.#claims.push((this.isStream ? quotas.streams : quotas.calls).take(principal));
    // A load may bring as much as all other calls of a principal together.
    if (this.#definition.path === LOAD_PATH) this.#claims.push(quotas.loads.take(principal));
  }

  /** A client could otherwise begin calls, send nothing more, and keep them for as long as it likes. */
  #slowSender(): void {
    const message = `the request did not arrive within ${this.#context.limits.requestMs} ms`;
    this.sendStatus(toStatus(new ServiceError(ErrorReason.SLOW_SENDER, message)));
  }

  #close(): void {
    this.#closed = true;
    clearTimeout(this.#requestTimer);
    clearTimeout(this.#resetTimer);
    this.#record.gone();
    if (!this.#requestCame) this.#dropRequest();
    this.#context.open.delete(this);
    for (const each of this.#claims.splice(0)) each[Symbol.dispose]();
    if (this.#record.handling) this.#abortWith(CallEnded.cancelled());
  }

  /** RFC 9113 (8.1): the rest of the request is of no use. grpc-js would keep the stream until the client ends it. */
  #dropRequest(): void {
    const drop = (): void => resetStream(this.#transport, constants.NGHTTP2_NO_ERROR);
    // A status that follows messages is still in a queue, and a reset drops it there. A client that gets it ends the stream.
    if (this.#sentMetadata) setTimeout(drop, RESET_AFTER_MS).unref();
    else drop();
  }

  // Used by handlers.

  /** Runs the handler. `failed` must follow if it throws. */
  async handle<T>(work: () => Promise<T>): Promise<T> {
    // A deadline closes no stream whose client does not read, so it needs a timer.
    const cancel = atDate(this.#deadline, () => this.#abortWith(CallEnded.deadline()));
    try {
      const answer = await this.#record.run(work);
      this.#record.handled(null);
      return answer;
    } finally {
      cancel();
    }
  }

  /** Notes the status of a handler that failed, before the client gets it. */
  failed(failure: Pick<StatusObject, 'code' | 'metadata'>): void {
    this.#record.handled(failure);
  }

  // Sent, in this order: metadata, messages, a status.

  override sendMetadata(metadata: Metadata): void {
    this.#sentMetadata = true;
    super.sendMetadata(this.#withRequestId(metadata));
  }

  /**
   * Drops messages after the status: a handler's stream may still hold some. grpc-js would write them after the end of the
   * HTTP/2 stream, which then never ends: the client gets no status, and the drain waits for its whole time.
   */
  override sendMessage(message: unknown, callback: () => void): void {
    if (this.#sentStatus) return;
    this.#record.sent(message);
    super.sendMessage(message, callback);
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
    super.sendStatus(this.#sentMetadata ? sent : { ...sent, metadata: this.#withRequestId(sent.metadata) });
  }

  #withRequestId(metadata: Metadata | null | undefined): Metadata {
    const all = metadata?.clone() ?? new Metadata();
    all.set(REQUEST_ID, this.requestId);
    return all;
  }

  // Used by the daemon.

  /**
   * Ends the call with an error, whatever its handler does.
   *
   * @param resetMs - time for the status to arrive, after which the stream is reset
   */
  endWith(error: ServiceError, resetMs = RESET_AFTER_MS): void {
    if (this.#record.handling) this.#abortWith(error);
    this.sendStatus(toStatus(error));
    this.resetAfter(resetMs);
  }

  /** Ends the call if it needed a role that its caller does not have any more. */
  endIfForbidden(): void {
    const lost = this.#caller?.lost() ?? null;
    if (this.#caller !== null && lost !== null) this.endWith(roleForbids(this.#caller, lost, this.method));
  }

  /**
   * Resets the stream after a time, unless it is closed by then. A client that does not read never gets the status, because
   * flow control holds back the messages before it. The stream would stay open for as long as the client likes.
   */
  resetAfter(ms: number): void {
    const at = performance.now() + ms;
    if (this.#closed || at >= this.#resetAt) return;
    this.#resetAt = at;
    clearTimeout(this.#resetTimer);
    const reset = (): void => resetStream(this.#transport, constants.NGHTTP2_CANCEL);
    this.#resetTimer = setTimeout(reset, ms).unref();
  }
}

/** How much of an encoded request is received, by the path of its method. */
function receiveBytes(path: string, { maxLoadMessageBytes, maxMessageBytes }: CallContext['limits']): number {
  if (path === LOAD_PATH) return maxLoadMessageBytes;
  const most = path.startsWith(OWN_PATH) ? RECEIVED_TIMES * maxMessageBytes : STANDARD_BYTES;
  return Math.min(most, maxLoadMessageBytes);
}
