import type { DescMessage, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import type { BtfService } from '@btfd/api';
import type { Caller } from '../auth/caller.js';
import type { CallRecord } from './interceptor/call-record.js';
import type { Encoded } from './encoded.js';

/** CallContext is what a handler knows of its call besides the request. */
export interface CallContext {
  /** Aborts when the client cancels or goes away, at the deadline and, for streams, at shutdown. */
  readonly signal: AbortSignal;
  /** Who calls. The role that the method needs was checked. */
  readonly caller: Caller;
  /** What observers are told of the call; absent where none observes. */
  readonly record?: Pick<CallRecord, 'note' | 'requestId'>;
}

/** Answer is what a message is made of, or a message that was encoded already. */
export type Answer<O extends DescMessage> = MessageInitShape<O> | Encoded;

/** UnaryHandler answers a request. */
export type UnaryHandler<I extends DescMessage, O extends DescMessage, A = MessageInitShape<O>> = (
  request: MessageShape<I>,
  context: CallContext,
) => Promise<A> | A;

/** WireHandler answers a request that it decodes itself. */
export type WireHandler<O extends DescMessage, A = MessageInitShape<O>> = (
  wire: Uint8Array,
  context: CallContext,
) => Promise<A>;

/**
 * StreamHandler answers a request with messages. It must end when the signal aborts, and release what
 * it holds in a `finally`: it is returned from early when its client goes away.
 */
export type StreamHandler<I extends DescMessage, O extends DescMessage, A = MessageInitShape<O>> = (
  request: MessageShape<I>,
  context: CallContext,
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

/** WorkerRpc is an Rpc some of whose answers workers encode. */
export type WorkerRpc<Name extends keyof BtfMethods> = Rpc<Name, Answer<BtfMethods[Name]['output']>>;
