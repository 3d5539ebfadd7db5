import type { DescMessage, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import type { BtfService } from '@btfd/api';
import type { Caller } from '../auth/caller.js';
import type { CallRecord } from './call-record.js';

/** CallContext is what a handler knows of its call besides the request. */
export interface CallContext {
  /** Aborts when the client cancels or goes away, at the deadline and, for streams, at shutdown. */
  readonly signal: AbortSignal;
  /** Who calls. The role that the method needs was checked. */
  readonly caller: Caller;
  /** What observers are told of the call; absent where none observes. */
  readonly record?: Pick<CallRecord, 'note' | 'requestId'>;
}

/** UnaryHandler answers a request. */
export type UnaryHandler<I extends DescMessage, O extends DescMessage> = (
  request: MessageShape<I>,
  context: CallContext,
) => Promise<MessageInitShape<O>> | MessageInitShape<O>;

/**
 * StreamHandler answers a request with messages. It must end when the signal aborts, and release what
 * it holds in a `finally`: it is returned from early when its client goes away.
 */
export type StreamHandler<I extends DescMessage, O extends DescMessage> = (
  request: MessageShape<I>,
  context: CallContext,
) => AsyncIterable<MessageInitShape<O>>;

/** BtfMethods are the methods of BtfService, by name in lower camel case. */
export type BtfMethods = (typeof BtfService)['method'];

/** Rpc is the type of the handler of an RPC of BtfService. */
export type Rpc<Name extends keyof BtfMethods> = BtfMethods[Name]['methodKind'] extends 'unary'
  ? UnaryHandler<BtfMethods[Name]['input'], BtfMethods[Name]['output']>
  : StreamHandler<BtfMethods[Name]['input'], BtfMethods[Name]['output']>;
