import { join } from 'node:path';
import type { MessageShape } from '@bufbuild/protobuf';
import { BtfService } from '@btfd/api';
import { toServiceDefinition } from '@btfd/api/grpc-js';
import {
  Client,
  credentials,
  Metadata,
  Server,
  ServerCredentials,
  type CallOptions,
  type ChannelCredentials,
  type ClientReadableStream,
  type ClientUnaryCall,
  type MethodDefinition,
  type ServerInterceptor,
  type ServiceError as GrpcError,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { wireDefinition } from '../grpc/serve.js';
import { TempDir } from './temp-dir.js';

type Methods = (typeof BtfService)['method'];

const definition = toServiceDefinition(BtfService);

/** GrpcClient calls BtfService as any client would. */
export class GrpcClient implements Disposable {
  readonly #client: Client;

  /** @param channel - default: no TLS */
  constructor(address: string, channel: ChannelCredentials = credentials.createInsecure()) {
    // A channel of its own, so that tests do not affect each other's connections.
    this.#client = new Client(address, channel, { 'grpc.use_local_subchannel_pool': 1 });
  }

  /** Waits until it is connected. */
  async connected(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#client.waitForReady(Infinity, (error) => {
        if (error === undefined) resolve();
        else reject(error);
      });
    });
  }

  /** Starts a unary call. */
  unary<Name extends keyof Methods>(
    name: Name,
    request: MessageShape<Methods[Name]['input']>,
    options: CallOptions = {},
    metadata = new Metadata(),
  ): { readonly call: ClientUnaryCall; readonly answer: Promise<MessageShape<Methods[Name]['output']>> } {
    return this.#unaryAs(definition[name], request, options, metadata);
  }

  /** Calls GetServerInfo with any bytes as the request. */
  unaryBytes(request: Uint8Array): Promise<unknown> {
    const { path, responseDeserialize } = definition.getServerInfo;
    const requestSerialize = (bytes: Uint8Array): Buffer => Buffer.from(bytes);
    return this.#unaryAs({ path, requestSerialize, responseDeserialize }, request, {}).answer;
  }

  /** Starts a server stream. */
  stream<Name extends keyof Methods>(
    name: Name,
    request: MessageShape<Methods[Name]['input']>,
    options: CallOptions = {},
  ): ClientReadableStream<MessageShape<Methods[Name]['output']>> {
    const { path, requestSerialize, responseDeserialize } = definition[name];
    return this.#client.makeServerStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      options,
    );
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }

  #unaryAs<I, O>(
    method: Pick<MethodDefinition<I, O>, 'path' | 'requestSerialize' | 'responseDeserialize'>,
    request: I,
    options: CallOptions,
    metadata = new Metadata(),
  ): { readonly call: ClientUnaryCall; readonly answer: Promise<O> } {
    const { path, requestSerialize, responseDeserialize } = method;
    const { promise, resolve, reject } = withResolvers<O>();
    promise.catch(() => {});
    const call = this.#client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      metadata,
      options,
      (error, value) => {
        if (error !== null) reject(error);
        else if (value !== undefined) resolve(value);
      },
    );
    return { call, answer: promise };
  }
}

/** GrpcServer serves an implementation of BtfService, or a part of one, on a unix socket. */
export class GrpcServer implements Disposable {
  readonly #dir = new TempDir();
  readonly #server: Server;
  readonly path = join(this.#dir.path, 'socket');
  readonly address = `unix:${this.path}`;

  private constructor(interceptors: ServerInterceptor[]) {
    this.#server = new Server({ interceptors });
  }

  static async start(
    implementation: UntypedServiceImplementation,
    interceptors: ServerInterceptor[] = [],
  ): Promise<GrpcServer> {
    const self = new GrpcServer(interceptors);
    self.#server.addService(wireDefinition(BtfService), implementation);
    await new Promise<void>((resolve, reject) => {
      self.#server.bindAsync(self.address, ServerCredentials.createInsecure(), (error) => {
        if (error === null) resolve();
        else reject(error);
      });
    });
    return self;
  }

  [Symbol.dispose](): void {
    this.#server.forceShutdown();
    this.#dir[Symbol.dispose]();
  }
}

/** grpcErrorOf returns the gRPC error that a call fails with. */
export async function grpcErrorOf(attempt: Promise<unknown>): Promise<GrpcError> {
  try {
    await attempt;
  } catch (error) {
    if (isGrpcError(error)) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

function isGrpcError(error: unknown): error is GrpcError {
  return (
    typeof error === 'object' &&
    error !== null &&
    'code' in error &&
    'details' in error &&
    'metadata' in error
  );
}

/** Deferred is a promise that is settled from outside. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (reason: unknown) => void;
}

/** withResolvers returns a promise that is settled from outside. */
export function withResolvers<T = void>(): Deferred<T> {
  let resolve: (value: T) => void = () => {};
  let reject: (reason: unknown) => void = () => {};
  const promise = new Promise<T>((onValue, onReason) => {
    resolve = onValue;
    reject = onReason;
  });
  return { promise, resolve, reject };
}
