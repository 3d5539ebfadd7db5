import type { MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import type { BtfService } from '@btfd/api';

type Methods = (typeof BtfService)['method'];

/** MethodName is the name of a method of the service, in lower camel case. */
export type MethodName = keyof Methods;

/** RequestOf is the request of a method: a message, or an object with some of its fields. */
export type RequestOf<N extends MethodName> = MessageInitShape<Methods[N]['input']>;

/** ResponseOf is the response of a method. */
export type ResponseOf<N extends MethodName> = MessageShape<Methods[N]['output']>;

/** Method is a method of the service, with the functions that grpc-js takes. */
export interface Method<Q, R> {
  readonly path: string;
  /** Whether it can be called twice without harm, by its `idempotency_level`. */
  readonly isRepeatable: boolean;
  readonly requestSerialize: (request: Q) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => R;
}

/** MethodOf is the {@link Method} with a name. */
export type MethodOf<N extends MethodName> = Method<RequestOf<N>, ResponseOf<N>>;

/** Messages is the part of this package that needs the code of messages. */
export type Messages = typeof import('./messages.js');

let loaded: Messages | null = null;

/**
 * messagesNow returns the {@link Messages}. The first call loads them: descriptors of all messages are made from their
 * binary form, which takes as long as the rest of this package, so that a program does not pay for it before it makes a
 * call.
 */
export function messagesNow(): Messages | Promise<Messages> {
  return loaded ?? loadMessages();
}

async function loadMessages(): Promise<Messages> {
  loaded = await import('./messages.js');
  return loaded;
}
