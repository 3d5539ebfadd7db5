import {
  type ChannelCredentials,
  type ChannelOptions,
  Client,
  Metadata,
  type MethodDefinition,
  status,
} from '@grpc/grpc-js';
import { msArgument } from './argument.js';
import { BtfError } from './btf-error.js';
import { DEFAULT_CHANNEL_OPTIONS } from './channel-options.js';
import { onAbort } from './on-abort.js';

/** The longest time that Node's timers, which deadlines are made of, can wait: 24 days. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/** CallLimits bound one call. */
export interface CallLimits {
  /** Deadline in milliseconds from now, told to the daemon too. None if absent or beyond {@link MAX_TIMEOUT_MS}. */
  readonly timeout?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Connection makes calls of grpc-js promises and async iterables: deadlines are gRPC's own, an aborted call
 * rejects with its signal's reason, and every other failure is a {@link BtfError}.
 */
export class Connection {
  readonly #address: string;
  readonly #client: Client;
  readonly #calls = new Set<{ cancel(): void }>();
  readonly #end = new AbortController();

  constructor(address: string, credentials: ChannelCredentials, options: ChannelOptions) {
    this.#address = address;
    this.#client = new Client(address, credentials, { ...DEFAULT_CHANNEL_OPTIONS, ...options });
  }

  get closed(): boolean {
    return this.ended.aborted;
  }

  /** Aborts when the client is closed, with a {@link BtfError} as reason. */
  get ended(): AbortSignal {
    return this.#end.signal;
  }

  /** Makes a unary call. */
  async unary<Q, R>(method: MethodDefinition<Q, R>, request: Q, { timeout, signal }: CallLimits): Promise<R> {
    this.#checkStart(signal);
    const { path, requestSerialize, responseDeserialize } = method;
    return new Promise<R>((resolve, reject) => {
      const call = this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        new Metadata(),
        callOptions(timeout),
        (error, response) => {
          this.#calls.delete(call);
          stopListening();
          if (response === undefined) reject(this.#failure(error, signal));
          else resolve(response);
        },
      );
      this.#calls.add(call);
      const stopListening = onAbort(signal, () => call.cancel());
    });
  }

  /** Makes a server-streaming call when the first message is asked for, and cancels it when its reader leaves. */
  async *stream<Q, R>(
    method: MethodDefinition<Q, R>,
    request: Q,
    { timeout, signal }: CallLimits,
  ): AsyncGenerator<R, void, undefined> {
    this.#checkStart(signal);
    const { path, requestSerialize, responseDeserialize } = method;
    const call = this.#client.makeServerStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      callOptions(timeout),
    );
    this.#calls.add(call);
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
      throw this.#failure(error, signal);
    } finally {
      stopListening();
      this.#calls.delete(call);
      call.cancel();
    }
  }

  /** Ends calls in progress and the channel. */
  close(): void {
    this.#end.abort(clientClosed());
    for (const call of this.#calls) call.cancel();
    this.#client.close();
  }

  #checkStart(signal: AbortSignal | undefined): void {
    signal?.throwIfAborted();
    this.ended.throwIfAborted();
  }

  #failure(error: unknown, signal: AbortSignal | undefined): unknown {
    if (signal?.aborted) return signal.reason;
    if (this.closed) return clientClosed(error);
    const failure = BtfError.from(error);
    // The daemon gives each of its own errors a reason.
    const isOurs = failure.code === status.UNAVAILABLE && failure.reason === null;
    return isOurs ? unreachable(this.#address, failure) : failure;
  }
}

function callOptions(timeout: number | undefined): { deadline?: number } {
  if (timeout === undefined || msArgument('timeout', timeout) > MAX_TIMEOUT_MS) return {};
  return { deadline: Date.now() + timeout };
}

function unreachable(address: string, failure: BtfError): BtfError {
  return new BtfError({
    code: status.UNAVAILABLE,
    reason: 'UNREACHABLE',
    message: `the daemon at ${address} cannot be reached: ${failure.rawMessage}`,
    cause: failure.cause,
  });
}

function clientClosed(cause?: unknown): BtfError {
  return new BtfError({
    code: status.FAILED_PRECONDITION,
    reason: 'CLIENT_CLOSED',
    message: 'the client was closed',
    cause,
  });
}
