/**
 * Every use of a private part of grpc-js (1.14) and Node (20 to 24), each in a function of its own. Its comment says when
 * it can go and which test fails if the part moves.
 *
 * @module
 */
import type { Socket } from 'node:net';
import type { Server } from '@grpc/grpc-js';

/**
 * resetStream resets the HTTP/2 stream of a call with an error code of HTTP/2. It does nothing if the stream is closed.
 *
 * A server of grpc-js can only send a status, and flow control may hold that back forever. It also leaves the stream
 * open until the client ends it, unlike other servers (https://github.com/grpc/grpc-java/issues/2162). It can go when
 * grpc-js has a way to cancel a call from the server. Tests: slow-reader.test.ts, admission.test.ts and
 * limits-in-force.test.ts.
 *
 * @param call - the call that the first interceptor gets
 */
export function resetStream(call: object, code: number): void {
  const stream: unknown = Reflect.get(call, 'stream');
  if (typeof stream !== 'object' || stream === null || !('close' in stream)) return;
  if (typeof stream.close === 'function') stream.close(code);
}

/**
 * limitReceived limits the message of one call, while it is received and while it is decompressed.
 *
 * grpc-js has one limit for all methods (https://github.com/grpc/grpc-node/pull/1346). Up to that limit it keeps what
 * anybody sends for as long as the call lasts. It can go when a method can have a limit of its own. Test:
 * receive-limit.test.ts.
 *
 * @param call - the call that the first interceptor gets
 */
export function limitReceived(call: object, bytes: number): void {
  Reflect.set(call, 'maxReceiveMessageSize', bytes);
  const decoder: unknown = Reflect.get(call, 'decoder');
  if (typeof decoder === 'object' && decoder !== null) Reflect.set(decoder, 'maxReadMessageLength', bytes);
}

/**
 * serveUnknown gives a server a handler for every method that it does not have.
 *
 * grpc-js otherwise refuses those calls before any interceptor sees them, so nothing counts or logs them
 * (https://github.com/grpc/grpc-node/issues/1572). It can go when a handler for unknown methods can be registered. Test:
 * unknown-methods.test.ts.
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
 * fdOf returns the file descriptor of a socket, or null if it has none.
 *
 * SO_PEERCRED needs it, and Node has no public way to get it (https://github.com/nodejs/node/issues/8974). It can go when
 * Node has one. Test: admission.test.ts.
 */
export function fdOf(socket: Socket): number | null {
  const handle: unknown = Reflect.get(socket, '_handle');
  if (typeof handle !== 'object' || handle === null || !('fd' in handle)) return null;
  return typeof handle.fd === 'number' ? handle.fd : null;
}
