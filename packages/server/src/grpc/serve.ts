import {
  create,
  toBinary,
  type MessageInitShape,
  type MessageShape,
  type DescMessage,
  type DescMethod,
  type DescService,
} from '@bufbuild/protobuf';
import { ErrorReason } from '@btfd/api';
import {
  Metadata,
  status,
  type MethodDefinition,
  type StatusObject,
  type handleServerStreamingCall,
  type handleUnaryCall,
} from '@grpc/grpc-js';
import { decodeRequest } from '../base/message.js';
import { toServiceError } from '../error/from-unknown.js';
import { ServiceError } from '../error/service-error.js';
import { toStatus } from '../error/to-status.js';
import type { Call } from './interceptor/call.js';
import type { Calls } from './interceptor/calls.js';
import { batchOf, PacedWriter, type Batch } from './paced-writer.js';
import {
  CallEnded,
  Encoded,
  isPromise,
  type Answer,
  type RpcCall,
  type StreamHandler,
  type UnaryHandler,
  type WireHandler,
} from './rpc.js';

/** ServeOptions are the options of `serveUnary`, `serveWire` and `serveStream`. */
export interface ServeOptions {
  /** Every call. */
  readonly calls: Pick<Calls, 'serve'>;
  /** Throws if an encoded request must not be decoded. */
  readonly checkRequest: (methodName: string, wire: Uint8Array) => void;
  /** How long a stream waits for a client that does not read, in milliseconds. */
  readonly slowReaderMs: number;
  /** Receives every error whose text is not sent to clients, with the id of its request. */
  readonly onInternalError: (methodName: string, error: unknown, requestId: string) => void;
}

/** The parts of a method that this layer needs. */
interface Method<I extends DescMessage, O extends DescMessage> extends Pick<DescMethod, 'parent'> {
  readonly name: string;
  readonly input: I;
  readonly output: O;
}

/** Time for a status to arrive at a client that reads in the end. */
const RESET_AFTER_MS = 1_000;

type Wire = Uint8Array;
type Status = Pick<StatusObject, 'code' | 'details' | 'metadata'>;

/**
 * wireDefinition returns the grpc-js definition of a service whose messages are bytes. So a method's own limit on requests
 * holds before they are decoded, and a failure to encode a response is reported like any other.
 */
export function wireDefinition(service: DescService): Record<string, MethodDefinition<Wire, Wire>> {
  return Object.fromEntries(
    service.methods.map(({ name, localName, methodKind }) => [
      localName,
      {
        path: pathOf({ parent: service, name }),
        requestStream: methodKind === 'client_streaming' || methodKind === 'bidi_streaming',
        responseStream: methodKind === 'server_streaming' || methodKind === 'bidi_streaming',
        requestDeserialize: (bytes) => bytes,
        requestSerialize: asBuffer,
        responseSerialize: asBuffer,
        responseDeserialize: (bytes) => bytes,
      } satisfies MethodDefinition<Wire, Wire>,
    ]),
  );
}

function pathOf({
  parent,
  name,
}: {
  readonly parent: Pick<DescService, 'typeName'>;
  readonly name: string;
}): string {
  return `/${parent.typeName}/${name}`;
}

/** serveUnary serves the calls of a unary method with a handler. */
export function serveUnary<I extends DescMessage, O extends DescMessage>(
  method: Method<I, O>,
  handler: UnaryHandler<I, O, Answer<O>>,
  options: ServeOptions,
): handleUnaryCall<Wire, Wire> {
  return serveWire(method, (wire, call) => handler(decodeRequest(method.input, wire), call), options);
}

/**
 * serveWire is serveUnary for a handler that decodes its request itself.
 *
 * @returns the handler with which grpc-js knows that the method is served.
 */
export function serveWire<O extends DescMessage>(
  method: Method<DescMessage, O>,
  handler: WireHandler<O, Answer<O>>,
  options: ServeOptions,
): handleUnaryCall<Wire, Wire> {
  const batch = (answer: Answer<O>): Batch => batchOf(encode(method, answer));
  options.calls.serve(pathOf(method), (call, request) => {
    const answer = (): Batch | Promise<Batch> => {
      options.checkRequest(method.name, request);
      const answered = handler(request, call);
      return isPromise(answered) ? answered.then(batch) : batch(answered);
    };
    call.handle(
      answer,
      (whole) => call.succeed(whole),
      (error) => fail(call, error, method, options),
    );
  });
  return notReached;
}

/**
 * serveStream serves the calls of a server-streaming method with a handler.
 *
 * @param shortcuts - `fastEncode` encodes some of the responses, with the bytes of protobuf-es, and returns null for the others.
 *   `atOnce` returns the only response to some of the requests, and null for the others, which the handler serves.
 * @returns as `serveWire` does.
 */
export function serveStream<I extends DescMessage, O extends DescMessage>(
  method: Method<I, O>,
  handler: StreamHandler<I, O, Answer<O>>,
  options: ServeOptions,
  {
    fastEncode = () => null,
    atOnce = () => null,
  }: {
    readonly fastEncode?: (answer: MessageInitShape<O>) => Encoded | null;
    readonly atOnce?: (request: MessageShape<I>, call: RpcCall) => Encoded | null;
  } = {},
): handleServerStreamingCall<Wire, Wire> {
  options.calls.serve(pathOf(method), (call, wire) => {
    const write = async (messages: AsyncIterable<Answer<O>>): Promise<Batch> => {
      const writer = new PacedWriter(call, options.slowReaderMs);
      try {
        for await (const message of messages) {
          const fast = message instanceof Encoded ? message : fastEncode(message);
          await writer.write(fast ?? encode(method, message));
        }
        return writer.rest();
      } catch (error) {
        writer.flush();
        throw error;
      }
    };
    const answer = (): Batch | Promise<Batch> => {
      options.checkRequest(method.name, wire);
      const request = decodeRequest(method.input, wire);
      const only = atOnce(request, call);
      return only === null ? write(handler(request, call)) : batchOf(only);
    };
    call.handle(
      answer,
      (rest) => call.succeed(rest),
      (error) => {
        fail(call, error, method, options);
        if (mayNotRead(error)) call.resetAfter(RESET_AFTER_MS);
        else call.resetIfUnread();
      },
    );
  });
  return notReached;
}

/** The interceptor serves the calls itself. grpc-js needs a handler to know that there is a method. */
function notReached(): never {
  throw new Error('a call did not pass the interceptor');
}

function fail(call: Call, error: unknown, { name }: { readonly name: string }, options: ServeOptions): void {
  const failure = statusOf(error, name, options, call);
  call.failed(failure);
  call.sendStatus(failure);
}

/** Reports whether the client may not read, so that it does not get the status either. */
function mayNotRead(error: unknown): boolean {
  if (error instanceof CallEnded) return error.code === status.DEADLINE_EXCEEDED;
  return error instanceof ServiceError && error.reason === ErrorReason.SLOW_READER;
}

function encode<O extends DescMessage>({ output }: Method<DescMessage, O>, answer: Answer<O>): Encoded {
  return answer instanceof Encoded ? answer : new Encoded(toBinary(output, create(output, answer)));
}

function statusOf(error: unknown, methodName: string, options: ServeOptions, { requestId }: Call): Status {
  const ended = asCallEnded(error);
  if (ended !== null) return { code: ended.code, details: ended.message, metadata: new Metadata() };
  const serviceError = toServiceError(error);
  if (serviceError.reason === ErrorReason.INTERNAL) options.onInternalError(methodName, error, requestId);
  return toStatus(serviceError);
}

/** The reason of the call's signal, also where Node wrapped it. The client is gone, and nothing went wrong here. */
function asCallEnded(error: unknown): CallEnded | null {
  if (error instanceof CallEnded) return error;
  if (typeof error !== 'object' || error === null || !('name' in error)) return null;
  if (error.name !== 'AbortError') return null;
  return 'cause' in error && error.cause instanceof CallEnded ? error.cause : CallEnded.cancelled();
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
