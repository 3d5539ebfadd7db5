/**
 * Every use of a private part of grpc-js or Node is in this file, in a function of its own that says until when it is
 * needed and which test fails if the part moves. The versions are grpc-js 1.14 and Node 20 to 24.
 *
 * @module
 */
import type { Socket } from 'node:net';
import type { Server } from '@grpc/grpc-js';

/**
 * resetStream breaks the HTTP/2 stream of a call with an error code of HTTP/2. grpc-js has no way to do so from the
 * server: `sendStatus` waits behind what flow control holds back. Held by slow-reader.test.ts and admission.test.ts.
 *
 * @param call - the call that the first interceptor gets
 */
export function resetStream(call: object, code: number): void {
  const stream: unknown = Reflect.get(call, 'stream');
  if (typeof stream !== 'object' || stream === null || !('close' in stream)) return;
  if (typeof stream.close === 'function') stream.close(code);
}

/**
 * limitReceived limits the message of one call, while it is received and while it is decompressed. grpc-js has one
 * limit for all methods, `grpc.max_receive_message_length`, up to which it keeps what anybody sends for as long as the
 * call lasts. Held by receive-limit.test.ts.
 *
 * @param call - the call that the first interceptor gets
 */
export function limitReceived(call: object, bytes: number): void {
  Reflect.set(call, 'maxReceiveMessageSize', bytes);
  const decoder: unknown = Reflect.get(call, 'decoder');
  if (typeof decoder === 'object' && decoder !== null) Reflect.set(decoder, 'maxReadMessageLength', bytes);
}

/**
 * serveUnknown makes a server look up a handler for each method that it does not have. grpc-js otherwise refuses those
 * calls before any interceptor sees them, so that nothing counts or logs them. Held by unknown-methods.test.ts.
 *
 * @throws Error if grpc-js keeps its handlers elsewhere.
 */
export function serveUnknown(grpc: Server, handlerOf: (path: string) => object): void {
  const handlers: unknown = Reflect.get(grpc, 'handlers');
  if (!(handlers instanceof Map)) throw new Error('grpc-js does not keep its handlers in a map any more');
  const known: ReadonlyMap<unknown, unknown> = new Map(handlers);
  Reflect.set(handlers, 'get', (path: unknown) => known.get(path) ?? handlerOf(String(path)));
}

/**
 * fdOf returns the file descriptor of a socket, or null if it has none. Node has no public way to ask for it, and
 * SO_PEERCRED needs it. Held by admission.test.ts.
 */
export function fdOf(socket: Socket): number | null {
  const handle: unknown = Reflect.get(socket, '_handle');
  if (typeof handle !== 'object' || handle === null || !('fd' in handle)) return null;
  return typeof handle.fd === 'number' ? handle.fd : null;
}
