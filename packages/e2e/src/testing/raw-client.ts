import {
  create,
  type DescMessage,
  type MessageInitShape,
  type MessageShape,
  fromBinary,
} from '@bufbuild/protobuf';
import { BtfService, ErrorInfoSchema, StatusSchema, type ErrorInfo } from '@btfd/api';
import { toServiceDefinition } from '@btfd/api/grpc-js';
import { anyUnpack } from '@bufbuild/protobuf/wkt';
import {
  Client,
  credentials,
  type ChannelCredentials,
  type ClientReadableStream,
  type MethodDefinition,
  type ServiceError,
} from '@grpc/grpc-js';

type Methods = typeof BtfService.method;
type Name<Kind> = { [K in keyof Methods]: Methods[K]['methodKind'] extends Kind ? K : never }[keyof Methods];

const definition = toServiceDefinition(BtfService);

/** RawClient makes single calls of the contract, without the features of @btfd/client. */
export class RawClient implements Disposable {
  readonly #client: Client;

  /** @param channel - default: no TLS */
  constructor(address: string, channel: ChannelCredentials = credentials.createInsecure()) {
    // Uses its own connection, because the daemon identifies a caller by the connection.
    this.#client = new Client(address, channel, { 'grpc.use_local_subchannel_pool': 1 });
  }

  /** Makes a unary call and returns the response. */
  async call<N extends Name<'unary'>>(
    name: N,
    init: MessageInitShape<Methods[N]['input']>,
    options: { readonly deadline?: number } = {},
  ): Promise<MessageShape<Methods[N]['output']>> {
    const { path, requestSerialize, responseDeserialize } = methodOf(name);
    const input: DescMessage = BtfService.method[name].input;
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        create(input, init),
        options,
        (error, message) =>
          error === null ? resolve(message as MessageShape<Methods[N]['output']>) : reject(error),
      );
    });
  }

  /** Starts a stream. */
  stream<N extends Name<'server_streaming'>>(
    name: N,
    init: MessageInitShape<Methods[N]['input']>,
    options: { readonly deadline?: number } = {},
  ): ClientReadableStream<MessageShape<Methods[N]['output']>> {
    const { path, requestSerialize, responseDeserialize } = methodOf(name);
    const input: DescMessage = BtfService.method[name].input;
    return this.#client.makeServerStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      create(input, init),
      options,
    ) as ClientReadableStream<MessageShape<Methods[N]['output']>>;
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}

function methodOf(name: keyof Methods): MethodDefinition<unknown, unknown> {
  return definition[name] as MethodDefinition<unknown, unknown>;
}

/** failureOf returns the gRPC error with which a call ends. @throws Error if the call succeeds. */
export async function failureOf(call: Promise<unknown>): Promise<ServiceError> {
  try {
    await call;
  } catch (error) {
    if (error instanceof Error && 'code' in error && 'metadata' in error) return error as ServiceError;
    throw error;
  }
  throw new Error('the call succeeded');
}

/** errorInfoOf returns the google.rpc.ErrorInfo of an error. @throws Error if it has none. */
export function errorInfoOf(error: ServiceError): ErrorInfo {
  const [bytes] = error.metadata.get('grpc-status-details-bin');
  if (!Buffer.isBuffer(bytes)) throw new Error(`no details: ${error.message}`);
  for (const any of fromBinary(StatusSchema, new Uint8Array(bytes)).details) {
    const info = anyUnpack(any, ErrorInfoSchema);
    if (info !== undefined) return info;
  }
  throw new Error('no ErrorInfo');
}
