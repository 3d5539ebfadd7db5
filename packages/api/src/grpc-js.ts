/**
 * The adapter to grpc-js: it turns a service descriptor of protobuf-es into a `ServiceDefinition`, and writes and reads
 * the details of errors in trailers.
 *
 * ```ts
 * import { Client, credentials } from '@grpc/grpc-js';
 * import { BtfService } from '@btfd/api';
 * import { toServiceDefinition } from '@btfd/api/grpc-js';
 *
 * const { getServerInfo } = toServiceDefinition(BtfService);
 * ```
 *
 * @module
 */
import {
  fromBinary,
  toBinary,
  type DescMethod,
  type DescService,
  type Message,
  type MessageShape,
} from '@bufbuild/protobuf';
import type { GenService, GenServiceMethods } from '@bufbuild/protobuf/codegenv2';
import type { Metadata, MethodDefinition } from '@grpc/grpc-js';
import { encodeStatus } from './error-details.js';
import { type ErrorDetails, STATUS_TRAILER } from './errors.js';

export { errorDetailsOf } from './errors.js';

/** GrpcJsServiceDefinition is the grpc-js definition of a service, keyed by method names in lower camel case. */
export type GrpcJsServiceDefinition<M extends GenServiceMethods> = {
  readonly [K in keyof M]: MethodDefinition<MessageShape<M[K]['input']>, MessageShape<M[K]['output']>>;
};

/**
 * toServiceDefinition returns the grpc-js definition of a generated service. Pass it to `Server.addService`, or use its
 * methods with the `make…Request` methods of a `Client`.
 */
export function toServiceDefinition<M extends GenServiceMethods>(
  service: GenService<M>,
): GrpcJsServiceDefinition<M>;
export function toServiceDefinition(
  service: DescService,
): Record<string, MethodDefinition<Message, Message>> {
  return Object.fromEntries(service.methods.map((method) => [method.localName, methodDefinition(method)]));
}

/**
 * withErrorDetails adds the details of an error to its trailers, and returns the trailers. A handler fails with
 * `{ code, details: message, metadata: withErrorDetails(new Metadata(), code, message, details) }`.
 *
 * @param trailers the trailers. The caller makes them, because this package loads no grpc-js of its own.
 */
export function withErrorDetails<T extends Pick<Metadata, 'set'>>(
  trailers: T,
  code: number,
  message: string,
  details: Partial<ErrorDetails>,
): T {
  trailers.set(STATUS_TRAILER, asBuffer(encodeStatus(code, message, details)));
  return trailers;
}

function methodDefinition(method: DescMethod): MethodDefinition<Message, Message> {
  const { input, output, methodKind } = method;
  return {
    path: `/${method.parent.typeName}/${method.name}`,
    originalName: method.localName,
    requestStream: methodKind === 'client_streaming' || methodKind === 'bidi_streaming',
    responseStream: methodKind === 'server_streaming' || methodKind === 'bidi_streaming',
    requestSerialize: (message) => asBuffer(toBinary(input, message)),
    requestDeserialize: (bytes) => fromBinary(input, asUint8Array(bytes)),
    responseSerialize: (message) => asBuffer(toBinary(output, message)),
    responseDeserialize: (bytes) => fromBinary(output, asUint8Array(bytes)),
  };
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Returns a plain view: protobuf-es creates `bytes` fields of the class that it gets, and Buffer is one. */
function asUint8Array(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
