import { status } from '@grpc/grpc-js';
import type { DescField, DescMessage, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import type { BtfService } from '@btfd/api';
import type { Caller } from '../auth/caller.js';
import type { CallFacts } from './interceptor/call-observer.js';

/** RpcCall is a call as its handler sees it. */
export interface RpcCall {
  /**
   * Aborts when the client cancels or goes away, at the deadline and, for streams, at shutdown. A signal is made when a
   * handler first reads it, so `aborted` and `throwIfAborted` cost less.
   */
  readonly signal: AbortSignal;
  /** Whether the signal has aborted. */
  readonly aborted: boolean;
  /** Throws the reason of the signal if it has aborted. */
  throwIfAborted(): void;
  /** The caller. It has the role that the method needs. */
  readonly caller: Caller;
  /** Adds facts about the call for logs, metrics and traces. */
  note(facts: CallFacts): void;
}

/** CallEnded is the reason with which the signal of a call aborts: its client is gone, or its deadline has passed. */
export class CallEnded extends Error {
  override readonly name = 'CallEnded';
  readonly code: status.CANCELLED | status.DEADLINE_EXCEEDED;

  private constructor(code: status.CANCELLED | status.DEADLINE_EXCEEDED, message: string) {
    super(message);
    this.code = code;
  }

  static cancelled(): CallEnded {
    return new CallEnded(status.CANCELLED, 'the call was cancelled');
  }

  static deadline(): CallEnded {
    return new CallEnded(status.DEADLINE_EXCEEDED, 'the deadline was exceeded');
  }
}

/** Encoded is an encoded response, in parts that follow each other. */
export class Encoded {
  readonly parts: readonly Uint8Array[];
  readonly length: number;

  constructor(...parts: readonly Uint8Array[]) {
    this.parts = parts;
    this.length = parts.reduce((length, part) => length + part.length, 0);
  }

  /** Returns a response with one field, of bytes that must not change any more. They are not copied. */
  static bytes(field: DescField, bytes: Uint8Array): Encoded {
    const head = new BinaryWriter().tag(field.number, WireType.LengthDelimited).uint32(bytes.length).finish();
    return new Encoded(head, bytes);
  }

  /** The response in one part. */
  get wire(): Uint8Array {
    const [first] = this.parts;
    return this.parts.length === 1 && first !== undefined ? first : Buffer.concat(this.parts);
  }
}

/** Answer is a response: a message to encode, or an encoded one. */
export type Answer<O extends DescMessage> = MessageInitShape<O> | Encoded;

/** isPromise reports whether a handler does not return its result at once. */
export function isPromise<T>(result: T | Promise<T>): result is Promise<T> {
  return result instanceof Promise;
}

/** UnaryHandler returns the response to a request. */
export type UnaryHandler<I extends DescMessage, O extends DescMessage, A = MessageInitShape<O>> = (
  request: MessageShape<I>,
  call: RpcCall,
) => Promise<A> | A;

/** WireHandler is a UnaryHandler that decodes the request itself. */
export type WireHandler<O extends DescMessage, A = MessageInitShape<O>> = (
  wire: Uint8Array,
  call: RpcCall,
) => Promise<A> | A;

/**
 * StreamHandler yields the responses to a request. It must end when the signal aborts, and release what it holds in a
 * `finally`: it is returned from early when its client goes away.
 */
export type StreamHandler<I extends DescMessage, O extends DescMessage, A = MessageInitShape<O>> = (
  request: MessageShape<I>,
  call: RpcCall,
) => AsyncIterable<A>;

/** BtfMethods are the methods of BtfService, by name in lower camel case. */
export type BtfMethods = (typeof BtfService)['method'];

/** Rpc is the type of the handler of an RPC of BtfService. */
export type Rpc<
  Name extends keyof BtfMethods,
  A = MessageInitShape<BtfMethods[Name]['output']>,
> = BtfMethods[Name]['methodKind'] extends 'unary'
  ? UnaryHandler<BtfMethods[Name]['input'], BtfMethods[Name]['output'], A>
  : StreamHandler<BtfMethods[Name]['input'], BtfMethods[Name]['output'], A>;

/** WorkerRpc is an Rpc whose responses workers may encode. */
export type WorkerRpc<Name extends keyof BtfMethods> = Rpc<Name, Answer<BtfMethods[Name]['output']>>;
