import {
  type ChannelCredentials,
  type ChannelOptions,
  Client,
  connectivityState,
  type Interceptor,
} from '@grpc/grpc-js';
import { onAbort } from '../base/abort.js';
import { atMost, type Clock, pause, systemClock } from '../base/clock.js';
import { invalidArgument } from '../error/argument.js';
import { BtfError } from '../error/btf-error.js';
import { clientClosed, isDisconnect, late, replaced, unreachable, withSizes } from './call-failure.js';
import { type CallMetadata, callMetadata } from './call-metadata.js';
import { DEFAULT_CHANNEL_OPTIONS } from './channel-options.js';
import { type ConnectionEvents, watchConnection } from './connection-watch.js';
import { FollowedSockets } from './followed-sockets.js';
import {
  messagesNow,
  type Method,
  type MethodName,
  type MethodOf,
  type RequestOf,
  type ResponseOf,
} from './methods.js';
import { isLoopback, lateThroughProxy, type Proxy, proxyOf, throughProxy, whyProxyFails } from './proxy.js';
import { DEFAULT_RETRIES, mayRepeat, pauseBefore } from './retry.js';
import { TlsRenewal } from './tls-renewal.js';

/** The longest time of Node's timers, which grpc-js uses for deadlines: 24 days. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/** How long a closed connection waits for the daemon's end of it. A daemon that responds needs one round trip. */
const CLOSE_MS = 100;

/** CallLimits bound one call. */
export interface CallLimits {
  /** The deadline in milliseconds from now, which the daemon gets too. None if absent or above {@link MAX_TIMEOUT_MS}. */
  readonly timeout?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** How often the call may be repeated within its deadline. Default: the connection's `retries`. */
  readonly retries?: number | undefined;
}

/** ConnectionOptions are the options of a {@link Connection}. */
export interface ConnectionOptions {
  readonly channelOptions?: ChannelOptions | undefined;
  readonly interceptors?: readonly Interceptor[] | undefined;
  readonly metadata?: CallMetadata | (() => CallMetadata) | undefined;
  /** How often a call may be repeated. Default: {@link DEFAULT_RETRIES}. */
  readonly retries?: number | undefined;
  /** The clock of pauses between attempts. Default: the process's. */
  readonly clock?: Clock | undefined;
  /** Returns the random part of those pauses, from 0 to 1. Default: `Math.random`. */
  readonly random?: (() => number) | undefined;
}

/**
 * Connection turns calls of grpc-js into promises and async iterables. Deadlines are gRPC's own. Calls are repeated if
 * that does no harm. An aborted call rejects with its signal's reason, and every other failure is a {@link BtfError}.
 */
export class Connection {
  readonly #address: string;
  readonly #client: Client;
  readonly #sockets: FollowedSockets;
  /** Null if the credentials never change. */
  readonly #renewal: TlsRenewal | null;
  readonly #metadata: CallMetadata | (() => CallMetadata);
  readonly #retries: number;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #calls = new Set<{ cancel(): void }>();
  readonly #end = new AbortController();
  /** The proxy of the environment, if the connection goes through one. */
  readonly #proxy: Proxy | null;
  /** The failures of calls whose request was never sent. */
  readonly #unsent = new WeakSet<BtfError>();

  /** @throws BtfError INVALID_REQUEST for an address that grpc-js rejects. */
  constructor(address: string, credentials: ChannelCredentials, options: ConnectionOptions = {}) {
    this.#address = address;
    this.#metadata = options.metadata ?? {};
    this.#retries = options.retries ?? DEFAULT_RETRIES;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#sockets = new FollowedSockets(credentials);
    this.#renewal = TlsRenewal.of(credentials, this.#sockets);
    this.#client = newClient(address, this.#sockets, options);
    this.#proxy = proxyOf(address, this.#client.getChannel().getTarget());
  }

  get closed(): boolean {
    return this.ended.aborted;
  }

  /** Whether there is a connection now, on which the daemon has begun to speak HTTP/2. */
  get connected(): boolean {
    return !this.closed && this.#client.getChannel().getConnectivityState(false) === connectivityState.READY;
  }

  /** Aborts when the client is closed, with a {@link BtfError} as its reason. */
  get ended(): AbortSignal {
    return this.#end.signal;
  }

  /** Reports from now on when the connection to the daemon is made and when it breaks. */
  watch(events: ConnectionEvents): void {
    watchConnection(this.#client.getChannel(), events);
  }

  /** Makes a unary call. */
  async unary<N extends MethodName>(
    name: N,
    request: RequestOf<N>,
    limits: CallLimits,
  ): Promise<ResponseOf<N>> {
    return this.retrying(name, limits, async (attempt) => this.#unary(name, request, attempt));
  }

  /**
   * Makes a server-streaming call when its first message is requested, and cancels it when its reader leaves. A stream
   * is not repeated: {@link retrying} repeats everything that belongs to it.
   */
  stream<N extends MethodName>(
    name: N,
    request: RequestOf<N>,
    limits: CallLimits,
  ): AsyncGenerator<ResponseOf<N>, void, undefined> {
    return this.streamOf(async () => methodOf(name), request, limits);
  }

  /** streamOf is {@link stream} with a method that has its own code of messages. */
  async *streamOf<Q, R>(
    find: () => Promise<Method<Q, R>>,
    request: Q,
    { timeout, signal }: CallLimits,
  ): AsyncGenerator<R, void, undefined> {
    const method = await find();
    await this.#renewIfDue();
    const { path, responseDeserialize } = method;
    const wire = measured(method);
    const metadata = callMetadata(this.#metadata);
    const call = await onOwnStack(() => {
      this.#checkStart(signal);
      const begun = this.#client.makeServerStreamRequest(
        path,
        wire.serialize,
        responseDeserialize,
        request,
        metadata,
        callOptions(timeout),
      );
      this.#calls.add(begun);
      return begun;
    });
    const stopListening = onAbort(signal, () => call.cancel());
    // A status may arrive after the reader has left. It must not become an uncaught error.
    call.on('error', () => {});
    const messages: AsyncIterable<R> = call;
    try {
      for await (const message of messages) {
        signal?.throwIfAborted();
        this.#renewal?.accepted();
        yield message;
      }
    } catch (error) {
      throw await this.#renewed(this.#failure(error, signal, { peer: call.getPeer(), sent: wire.size() }));
    } finally {
      stopListening();
      this.#calls.delete(call);
      call.cancel();
    }
  }

  /**
   * Makes attempts at calls of a method until one succeeds or fails for good. It pauses before each further attempt.
   * `limits` bound their number, and their deadline is that of all attempts together.
   */
  async retrying<T>(
    method: MethodName | Pick<Method<never, unknown>, 'isRepeatable'>,
    limits: CallLimits,
    attempt: (limits: CallLimits) => Promise<T>,
  ): Promise<T> {
    try {
      return await this.#attempts(method, limits, attempt);
    } catch (error) {
      throw await this.#explained(error, limits.signal);
    }
  }

  async #attempts<T>(
    method: MethodName | Pick<Method<never, unknown>, 'isRepeatable'>,
    { timeout = Infinity, signal, retries = this.#retries }: CallLimits,
    attempt: (limits: CallLimits) => Promise<T>,
  ): Promise<T> {
    // A deadline that the timers cannot wait for is not one.
    const end = timeout > MAX_TIMEOUT_MS ? Infinity : this.#clock.now() + timeout;
    const { isRepeatable } = typeof method === 'string' ? await methodOf(method) : method;
    for (let retry = 0; ; retry++) {
      try {
        return await attempt({ timeout: Math.max(0, end - this.#clock.now()), signal });
      } catch (thrown) {
        const error = await this.#renewed(thrown);
        if (!BtfError.isBtfError(error) || retry >= retries) throw error;
        if (!mayRepeat({ error, repeatable: isRepeatable, sent: !this.#unsent.has(error) })) throw error;
        const ms = pauseBefore(retry, error, this.#random());
        if (this.#clock.now() + ms >= end) throw error;
        await pause(this.#clock, ms, [signal, this.ended]);
      }
    }
  }

  /** Ends calls in progress and the channel. Its sockets are closed at the end, also if the daemon does not respond. */
  async close(): Promise<void> {
    this.#end.abort(clientClosed());
    for (const call of this.#calls) call.cancel();
    this.#client.close();
    await atMost(this.#clock, CLOSE_MS, this.#sockets.closed());
    this.#sockets.end();
  }

  async #unary<N extends MethodName>(
    name: N,
    request: RequestOf<N>,
    limits: CallLimits,
  ): Promise<ResponseOf<N>> {
    const { timeout, signal } = limits;
    const method = await methodOf(name);
    await this.#renewIfDue();
    this.#checkStart(signal);
    const { path, responseDeserialize } = method;
    const wire = measured(method);
    const metadata = callMetadata(this.#metadata);
    return new Promise<ResponseOf<N>>((resolve, reject) => {
      const call = this.#client.makeUnaryRequest(
        path,
        wire.serialize,
        responseDeserialize,
        request,
        metadata,
        callOptions(timeout),
        (error, response) => {
          this.#calls.delete(call);
          stopListening();
          if (response !== undefined) {
            this.#renewal?.accepted();
            resolve(response);
          } else reject(this.#failure(error, signal, { peer: call.getPeer(), sent: wire.size() }));
        },
      );
      this.#calls.add(call);
      const stopListening = onAbort(signal, () => call.cancel());
    });
  }

  /** Near the end of its certificate's lifetime the connection is replaced between two calls. */
  async #renewIfDue(): Promise<void> {
    if (this.#renewal?.isDue === true && this.#calls.size === 0) await this.#renewal.renew();
  }

  /** Returns an error that a retry can fix if the daemon refuses a certificate that has a successor. */
  async #renewed(error: unknown): Promise<unknown> {
    if (this.#renewal === null || this.closed || !BtfError.isBtfError(error)) return error;
    return (await this.#renewal.helps(error)) ? replaced(this.#address, error) : error;
  }

  /** Finds out why a proxy does not connect, which grpc-js does not report. */
  async #explained(error: unknown, signal: AbortSignal | undefined): Promise<unknown> {
    if (this.#proxy === null || !BtfError.isBtfError(error) || !this.#unsent.has(error)) return error;
    const why = await whyProxyFails(this.#proxy, this.#address, [signal, this.ended]);
    if (signal?.aborted) return signal.reason;
    return why === null ? error : throughProxy(this.#address, this.#proxy, error, why);
  }

  #checkStart(signal: AbortSignal | undefined): void {
    signal?.throwIfAborted();
    this.ended.throwIfAborted();
  }

  #failure(
    error: unknown,
    signal: AbortSignal | undefined,
    { peer, sent }: { readonly peer: string; readonly sent: number },
  ): unknown {
    if (signal?.aborted) return signal.reason;
    if (this.closed) return clientClosed(error);
    const failure = late(this.#address, withSizes(BtfError.from(error), sent));
    // A call that found no connection has no peer: grpc-js returns the target instead, or "unknown".
    const unsent = peer === 'unknown' || peer === this.#client.getChannel().getTarget();
    if (!isDisconnect(failure)) {
      return unsent && this.#proxy !== null ? lateThroughProxy(failure, this.#proxy) : failure;
    }
    const unreached =
      unsent && this.#proxy !== null
        ? throughProxy(this.#address, this.#proxy, failure)
        : unreachable(this.#address, failure);
    if (unsent) this.#unsent.add(unreached);
    return unreached;
  }
}

async function methodOf<N extends MethodName>(name: N): Promise<MethodOf<N>> {
  const { METHODS } = await messagesNow();
  return METHODS[name];
}

function newClient(
  address: string,
  credentials: ChannelCredentials,
  { channelOptions, interceptors = [] }: ConnectionOptions,
): Client {
  const options = {
    ...DEFAULT_CHANNEL_OPTIONS,
    // A proxy cannot connect to this machine.
    ...(isLoopback(address) ? { 'grpc.enable_http_proxy': 0 } : {}),
    ...channelOptions,
    interceptors: [...interceptors],
  };
  try {
    return new Client(address, credentials, options);
  } catch (error) {
    throw invalidArgument('address', `must be unix:/PATH or HOST:PORT: ${String(error)}`);
  }
}

/**
 * Begins a call on a stack of its own. grpc-js keeps the stack with the call, and V8 keeps the generators on that stack,
 * so the generator of an iteration would never become garbage.
 */
async function onOwnStack<T>(begin: () => T): Promise<T> {
  return new Promise((resolve, reject) => {
    queueMicrotask(() => {
      try {
        resolve(begin());
      } catch (error) {
        reject(error);
      }
    });
  });
}

/** Serializes the request of one call, and remembers its size. */
function measured<Q>({ requestSerialize }: Pick<Method<Q, unknown>, 'requestSerialize'>): {
  readonly serialize: (request: Q) => Buffer;
  readonly size: () => number;
} {
  let size = 0;
  return {
    serialize: (request) => {
      const bytes = requestSerialize(request);
      size = bytes.length;
      return bytes;
    },
    size: () => size,
  };
}

function callOptions(timeout: number | undefined): { deadline?: number } {
  if (timeout === undefined || timeout > MAX_TIMEOUT_MS) return {};
  return { deadline: Date.now() + timeout };
}
