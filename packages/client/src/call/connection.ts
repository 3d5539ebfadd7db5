import {
  type ChannelCredentials,
  type ChannelOptions,
  Client,
  type Interceptor,
  type MethodDefinition,
  status,
} from '@grpc/grpc-js';
import { invalidArgument } from '../error/argument.js';
import { pause } from './backoff.js';
import { BtfError } from '../error/btf-error.js';
import { clientError } from '../error/client-error.js';
import { type CallMetadata, callMetadata } from './call-metadata.js';
import { DEFAULT_CHANNEL_OPTIONS } from './channel-options.js';
import { systemClock } from '../base/clock.js';
import { type ConnectionEvents, watchConnection } from './connection-watch.js';
import { isRepeatable } from './methods.js';
import { withSizes } from '../error/message-too-large.js';
import { onAbort } from '../base/on-abort.js';
import { DEFAULT_RETRIES, mayRepeat, pauseBefore } from './retry.js';

/** The longest time that Node's timers, which deadlines are made of, can wait: 24 days. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/** CallLimits bound one call. */
export interface CallLimits {
  /** Deadline in milliseconds from now, told to the daemon too. None if absent or beyond {@link MAX_TIMEOUT_MS}. */
  readonly timeout?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** How often the call may be repeated, within its deadline. Default: as often as the connection says. */
  readonly retries?: number | undefined;
}

/** ConnectionOptions are the options of a {@link Connection}. */
export interface ConnectionOptions {
  readonly channelOptions?: ChannelOptions | undefined;
  readonly interceptors?: readonly Interceptor[] | undefined;
  readonly metadata?: CallMetadata | (() => CallMetadata) | undefined;
  /** How often a call may be repeated. Default: {@link DEFAULT_RETRIES}. */
  readonly retries?: number | undefined;
}

/**
 * Connection makes calls of grpc-js promises and async iterables: deadlines are gRPC's own, calls that can be are
 * repeated, an aborted call rejects with its signal's reason, and every other failure is a {@link BtfError}.
 */
export class Connection {
  readonly #address: string;
  readonly #client: Client;
  readonly #metadata: CallMetadata | (() => CallMetadata);
  readonly #retries: number;
  readonly #calls = new Set<{ cancel(): void }>();
  readonly #end = new AbortController();
  /** The failures of calls whose request never left. */
  readonly #unsent = new WeakSet<BtfError>();

  constructor(address: string, credentials: ChannelCredentials, options: ConnectionOptions = {}) {
    this.#address = address;
    this.#metadata = options.metadata ?? {};
    this.#retries = options.retries ?? DEFAULT_RETRIES;
    this.#client = newClient(address, credentials, options);
  }

  get closed(): boolean {
    return this.ended.aborted;
  }

  /** Aborts when the client is closed, with a {@link BtfError} as reason. */
  get ended(): AbortSignal {
    return this.#end.signal;
  }

  /** Tells of the connection to the daemon, from now on. */
  watch(events: ConnectionEvents): void {
    watchConnection(this.#client.getChannel(), events);
  }

  /** Makes a unary call. */
  async unary<Q, R>(method: MethodDefinition<Q, R>, request: Q, limits: CallLimits): Promise<R> {
    return this.retrying(method, limits, async (attempt) => this.#unary(method, request, attempt));
  }

  /**
   * Makes a server-streaming call when the first message is asked for, and cancels it when its reader leaves. It is
   * not repeated: what can be done again together is for {@link retrying}.
   */
  async *stream<Q, R>(
    method: MethodDefinition<Q, R>,
    request: Q,
    { timeout, signal }: CallLimits,
  ): AsyncGenerator<R, void, undefined> {
    const { path, responseDeserialize } = method;
    const wire = measured(method);
    const metadata = callMetadata(this.#metadata);
    const call = await apart(() => {
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
    // A status that comes after the reader left has nobody to tell, and must not become an uncaught error.
    call.on('error', () => {});
    const messages: AsyncIterable<R> = call;
    try {
      for await (const message of messages) {
        signal?.throwIfAborted();
        yield message;
      }
    } catch (error) {
      throw this.#failure(error, signal, { peer: call.getPeer(), sent: wire.size() });
    } finally {
      stopListening();
      this.#calls.delete(call);
      call.cancel();
    }
  }

  /**
   * Does something by a method, and does it again where it failed in a way that this can mend: after a pause, so
   * often as `limits` say, and within their deadline, which is that of all attempts together.
   */
  async retrying<T>(
    method: { readonly path: string },
    { timeout = Infinity, signal, retries = this.#retries }: CallLimits,
    attempt: (limits: CallLimits) => Promise<T>,
  ): Promise<T> {
    // What the timers of a deadline cannot wait for is none.
    const end = timeout > MAX_TIMEOUT_MS ? Infinity : performance.now() + timeout;
    const repeatable = isRepeatable(method);
    for (let retry = 0; ; retry++) {
      try {
        return await attempt({ timeout: Math.max(0, end - performance.now()), signal });
      } catch (error) {
        if (!BtfError.isBtfError(error) || retry >= retries) throw error;
        if (!mayRepeat({ error, repeatable, sent: !this.#unsent.has(error) })) throw error;
        const ms = pauseBefore(retry, error, Math.random());
        if (performance.now() + ms >= end) throw error;
        await pause(systemClock, ms, [signal, this.ended]);
      }
    }
  }

  /** Ends calls in progress and the channel. */
  close(): void {
    this.#end.abort(clientClosed());
    for (const call of this.#calls) call.cancel();
    this.#client.close();
  }

  async #unary<Q, R>(method: MethodDefinition<Q, R>, request: Q, limits: CallLimits): Promise<R> {
    const { timeout, signal } = limits;
    this.#checkStart(signal);
    const { path, responseDeserialize } = method;
    const wire = measured(method);
    const metadata = callMetadata(this.#metadata);
    return new Promise<R>((resolve, reject) => {
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
          if (response !== undefined) resolve(response);
          else reject(this.#failure(error, signal, { peer: call.getPeer(), sent: wire.size() }));
        },
      );
      this.#calls.add(call);
      const stopListening = onAbort(signal, () => call.cancel());
    });
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
    const failure = withSizes(BtfError.from(error), sent);
    if (!isOff(failure)) return failure;
    const unreached = unreachable(this.#address, failure);
    // A call that found no connection has no peer: grpc-js says the target instead, or that it knows none.
    if (peer === 'unknown' || peer === this.#client.getChannel().getTarget()) this.#unsent.add(unreached);
    return unreached;
  }
}

function newClient(
  address: string,
  credentials: ChannelCredentials,
  { channelOptions, interceptors = [] }: ConnectionOptions,
): Client {
  const options = { ...DEFAULT_CHANNEL_OPTIONS, ...channelOptions, interceptors: [...interceptors] };
  try {
    return new Client(address, credentials, options);
  } catch (error) {
    throw invalidArgument('address', `must be unix:/path or host:port: ${String(error)}`);
  }
}

/**
 * Begins a call on a stack of its own: grpc-js keeps the stack with the call, and V8 the generators on it, so that those
 * of an iteration would never be garbage.
 */
async function apart<T>(begin: () => T): Promise<T> {
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
function measured<Q>({ requestSerialize }: Pick<MethodDefinition<Q, unknown>, 'requestSerialize'>): {
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

/** Whether the way to the daemon broke, or there is none. The daemon gives each of its own errors a reason. */
function isOff({ code, reason, rawMessage }: BtfError): boolean {
  if (reason !== null) return false;
  // What nobody here cancelled, the other side broke off.
  if (code === status.UNAVAILABLE || code === status.CANCELLED) return true;
  // So grpc-js calls a connection that ended with an error, unless it was reset.
  return code === status.INTERNAL && rawMessage.includes('triggered by internal client error');
}

function unreachable(address: string, failure: BtfError): BtfError {
  return clientError(
    'UNREACHABLE',
    `the daemon at ${address} cannot be reached: ${failure.rawMessage}`,
    failure,
  );
}

function clientClosed(cause?: unknown): BtfError {
  return clientError('CLIENT_CLOSED', 'the client was closed', { cause });
}
