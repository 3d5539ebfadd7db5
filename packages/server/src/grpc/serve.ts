import { create, fromBinary, toBinary, type DescMessage, type DescService, type Message, type MessageShape } from '@bufbuild/protobuf';
import { ErrorReason } from '@btfd/api';
import type {
  MethodDefinition,
  StatusObject,
  handleServerStreamingCall,
  handleUnaryCall,
} from '@grpc/grpc-js';
import { toServiceError } from '../error/from-unknown.js';
import { ServiceError } from '../error/service-error.js';
import { toStatus } from '../error/to-status.js';
import { openScope } from './call-scope.js';
import { untilDrained } from './drain.js';
import type { StreamHandler, UnaryHandler } from './rpc.js';

/** ServeOptions are what calls need beyond their handlers. */
export interface ServeOptions {
  /** Largest encoded request of a method, in bytes. */
  readonly maxRequestBytes: (methodName: string) => number;
  /** How long a stream waits for a client that doesn't read, in milliseconds. */
  readonly slowReaderMs: number;
  /** Aborts when the daemon shuts down; streams end then. Its reason is what clients are told. */
  readonly shutdown: AbortSignal;
  /** Takes every error whose text clients aren't told. */
  readonly onInternalError: (methodName: string, error: unknown) => void;
}

/** What the layer needs to know of a method. */
interface Method<I extends DescMessage, O extends DescMessage> {
  readonly name: string;
  readonly input: I;
  readonly output: O;
}

type Wire = Uint8Array;
type Status = Pick<StatusObject, 'code' | 'details' | 'metadata'>;

/**
 * wireDefinition is the grpc-js definition of a service whose requests reach the handlers as bytes, so
 * that a method's own limit on them holds before they are decoded.
 */
export function wireDefinition(service: DescService): Record<string, MethodDefinition<Wire, Message>> {
  return Object.fromEntries(
    service.methods.map(({ name, localName, methodKind, output }) => [
      localName,
      {
        path: `/${service.typeName}/${name}`,
        requestStream: methodKind === 'client_streaming' || methodKind === 'bidi_streaming',
        responseStream: methodKind === 'server_streaming' || methodKind === 'bidi_streaming',
        requestDeserialize: (bytes) => bytes,
        requestSerialize: asBuffer,
        responseSerialize: (message) => asBuffer(toBinary(output, message)),
        responseDeserialize: (bytes) => fromBinary(output, bytes),
      } satisfies MethodDefinition<Wire, Message>,
    ]),
  );
}

/** serveUnary makes a grpc-js handler of a handler of a unary method. */
export function serveUnary<I extends DescMessage, O extends DescMessage>(
  method: Method<I, O>,
  handler: UnaryHandler<I, O>,
  options: ServeOptions,
): handleUnaryCall<Wire, Message> {
  return (call, callback) => {
    const answer = async (): Promise<Message> => {
      using scope = openScope(call, null);
      const request = decode(method, call.request, options);
      return create(method.output, await handler(request, scope));
    };
    answer().then(
      (message) => callback(null, message),
      (error: unknown) => callback(statusOf(error, method.name, options)),
    );
  };
}

/** serveStream makes a grpc-js handler of a handler of a server-streaming method. */
export function serveStream<I extends DescMessage, O extends DescMessage>(
  method: Method<I, O>,
  handler: StreamHandler<I, O>,
  options: ServeOptions,
): handleServerStreamingCall<Wire, Message> {
  return (call) => {
    const answer = async (): Promise<void> => {
      using scope = openScope(call, options.shutdown);
      const request = decode(method, call.request, options);
      for await (const init of handler(request, scope)) {
        scope.signal.throwIfAborted();
        if (!call.write(create(method.output, init))) {
          await untilDrained(call, scope.signal, options.slowReaderMs);
        }
      }
    };
    answer().then(
      () => call.end(),
      // `call.destroy(error)` would send no status.
      (error: unknown) => call.emit('error', statusOf(error, method.name, options)),
    );
  };
}

function decode<I extends DescMessage>(
  method: Method<I, DescMessage>,
  wire: Wire,
  options: ServeOptions,
): MessageShape<I> {
  const limit = options.maxRequestBytes(method.name);
  if (wire.length > limit) {
    const message = `the request has ${wire.length} bytes; ${method.name} takes at most ${limit}`;
    const metadata = { size: String(wire.length), limit: String(limit) };
    throw new ServiceError(ErrorReason.MESSAGE_TOO_LARGE, message, { metadata });
  }
  try {
    // A plain view, because protobuf-es makes `bytes` fields of the class that it is given.
    return fromBinary(method.input, new Uint8Array(wire.buffer, wire.byteOffset, wire.byteLength));
  } catch (error) {
    const message = `the request is no ${method.input.typeName}: ${error instanceof Error ? error.message : ''}`;
    throw new ServiceError(ErrorReason.INVALID_REQUEST, message, { cause: error });
  }
}

function statusOf(error: unknown, methodName: string, options: ServeOptions): Status {
  const told = toServiceError(error);
  if (told.reason === ErrorReason.INTERNAL && !isAbort(error)) options.onInternalError(methodName, error);
  return toStatus(told);
}

/** What a signal aborts with when the client is gone: nobody is left to be told. */
function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

