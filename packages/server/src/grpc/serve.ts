import { create, toBinary, type DescMessage, type DescService } from '@bufbuild/protobuf';
import { ErrorReason } from '@btfd/api';
import {
  Metadata,
  status,
  type MethodDefinition,
  type ServerUnaryCall,
  type StatusObject,
  type handleServerStreamingCall,
  type handleUnaryCall,
} from '@grpc/grpc-js';
import type { Caller } from '../auth/caller.js';
import { toServiceError } from '../error/from-unknown.js';
import { ServiceError } from '../error/service-error.js';
import { toStatus } from '../error/to-status.js';
import { CallEnded } from './call-ended.js';
import type { CallRecord } from './interceptor/call-record.js';
import { openScope, type CallScope } from './call-scope.js';
import { decodeRequest } from '../base/message.js';
import { Encoded } from './encoded.js';
import type { ObservedCalls } from './interceptor/observed-calls.js';
import { PacedWriter } from './paced-writer.js';
import type { Answer, CallContext, StreamHandler, UnaryHandler, WireHandler } from './rpc.js';

/** ServeOptions are what calls need beyond their handlers. */
export interface ServeOptions {
  /** Who makes the call with this metadata. */
  readonly callerOf: (metadata: Metadata) => Caller;
  /** Throws if an encoded request may not be decoded. */
  readonly checkRequest: (methodName: string, wire: Uint8Array) => void;
  /** How long a stream waits for a client that doesn't read, in milliseconds. */
  readonly slowReaderMs: number;
  /** Breaks the HTTP/2 stream of the call with this metadata. */
  readonly resetStream: (metadata: Metadata) => void;
  /** Aborts when the daemon shuts down; streams end then. Its reason is what clients are told. */
  readonly shutdown: AbortSignal;
  /** The calls' records, where they are observed. */
  readonly calls?: Pick<ObservedCalls, 'of'>;
  /** Takes every error whose text clients aren't told, with the id of its request where that has one. */
  readonly onInternalError: (methodName: string, error: unknown, requestId: string | undefined) => void;
}

/** What the layer needs to know of a method. */
interface Method<I extends DescMessage, O extends DescMessage> {
  readonly name: string;
  readonly input: I;
  readonly output: O;
}

/** Time for a status to arrive at a client that reads after all. */
const RESET_AFTER_MS = 1_000;

type Wire = Uint8Array;
type Status = Pick<StatusObject, 'code' | 'details' | 'metadata'>;

/**
 * wireDefinition is the grpc-js definition of a service of bytes: requests, so that a method's own limit on
 * them holds before they are decoded; answers, so that a failure to encode one is told as every other.
 */
export function wireDefinition(service: DescService): Record<string, MethodDefinition<Wire, Wire>> {
  return Object.fromEntries(
    service.methods.map(({ name, localName, methodKind }) => [
      localName,
      {
        path: `/${service.typeName}/${name}`,
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

/** serveUnary makes a grpc-js handler of a handler of a unary method. */
export function serveUnary<I extends DescMessage, O extends DescMessage>(
  method: Method<I, O>,
  handler: UnaryHandler<I, O, Answer<O>>,
  options: ServeOptions,
): handleUnaryCall<Wire, Wire> {
  return serveWire(
    method,
    async (wire, context) => handler(decodeRequest(method.input, wire), context),
    options,
  );
}

/** serveWire is serveUnary for a handler that decodes its request itself. */
export function serveWire<O extends DescMessage>(
  method: Method<DescMessage, O>,
  handler: WireHandler<O, Answer<O>>,
  options: ServeOptions,
): handleUnaryCall<Wire, Wire> {
  return (call, respond) => {
    const record = options.calls?.of(call.metadata);
    const answer = async (): Promise<Wire> => {
      using scope = openScope(call, null);
      const caller = options.callerOf(call.metadata);
      options.checkRequest(method.name, call.request);
      return encode(method, await handler(call.request, contextOf(scope, caller, record)));
    };
    const succeed = (wire: Wire): void => {
      respond(null, wire);
      resetUnlessRead(call, options.slowReaderMs, options);
    };
    run(record, answer).then(succeed, (error: unknown) => {
      const failure = statusOf(error, method.name, options, record);
      record?.handled(failure);
      respond(failure);
    });
  };
}

/** serveStream makes a grpc-js handler of a handler of a server-streaming method. */
export function serveStream<I extends DescMessage, O extends DescMessage>(
  method: Method<I, O>,
  handler: StreamHandler<I, O, Answer<O>>,
  options: ServeOptions,
): handleServerStreamingCall<Wire, Wire> {
  return (call) => {
    const record = options.calls?.of(call.metadata);
    const answer = async (): Promise<void> => {
      using scope = openScope(call, options.shutdown);
      const caller = options.callerOf(call.metadata);
      options.checkRequest(method.name, call.request);
      const request = decodeRequest(method.input, call.request);
      const writer = new PacedWriter(call, scope.signal, options.slowReaderMs);
      const messages = handler(request, contextOf(scope, caller, record));
      for await (const init of messages) await writer.write(encode(method, init));
    };
    const succeed = (): void => {
      call.end();
      resetUnlessRead(call, options.slowReaderMs, options);
    };
    run(record, answer).then(succeed, (error: unknown) => {
      const failure = statusOf(error, method.name, options, record);
      record?.handled(failure);
      // `call.destroy(error)` would send no status.
      call.emit('error', failure);
      resetUnlessRead(call, mayNotRead(error) ? RESET_AFTER_MS : options.slowReaderMs, options);
    });
  };
}

function contextOf({ signal }: CallScope, caller: Caller, record: CallRecord | undefined): CallContext {
  return record === undefined ? { signal, caller } : { signal, caller, record };
}

async function run<T>(record: CallRecord | undefined, answer: () => Promise<T>): Promise<T> {
  if (record === undefined) return answer();
  const answered = await record.run(answer);
  record.handled(null);
  return answered;
}

/** What a client doesn't read of a call that has ended would stay for as long as it likes. */
function resetUnlessRead(
  call: Pick<ServerUnaryCall<Wire, Wire>, 'cancelled' | 'metadata' | 'once'>,
  ms: number,
  { resetStream }: ServeOptions,
): void {
  if (call.cancelled) return;
  const timer = setTimeout(() => resetStream(call.metadata), ms).unref();
  // Comes once for every call, when its stream is closed.
  call.once('cancelled', () => clearTimeout(timer));
}

/** A client that doesn't read gets no status either. */
function mayNotRead(error: unknown): boolean {
  if (error instanceof CallEnded) return error.code === status.DEADLINE_EXCEEDED;
  return error instanceof ServiceError && error.reason === ErrorReason.SLOW_READER;
}

function encode<O extends DescMessage>(method: Method<DescMessage, O>, answer: Answer<O>): Wire {
  return answer instanceof Encoded ? answer.wire : toBinary(method.output, create(method.output, answer));
}

function statusOf(
  error: unknown,
  methodName: string,
  options: ServeOptions,
  record: CallRecord | undefined,
): Status {
  const ended = asCallEnded(error);
  if (ended !== null) return { code: ended.code, details: ended.message, metadata: new Metadata() };
  const told = toServiceError(error);
  if (told.reason === ErrorReason.INTERNAL) options.onInternalError(methodName, error, record?.requestId);
  return toStatus(told);
}

/** What a signal aborted with, or what Node made of it: the client is gone, and nothing went wrong here. */
function asCallEnded(error: unknown): CallEnded | null {
  if (error instanceof CallEnded) return error;
  if (typeof error !== 'object' || error === null || !('name' in error)) return null;
  if (error.name !== 'AbortError') return null;
  return 'cause' in error && error.cause instanceof CallEnded ? error.cause : CallEnded.cancelled();
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
