/**
 * Every use of a private part of grpc-js (1.14) and Node (20 to 24), each in a function of its own. Its comment says when
 * it can go and which test fails if the part moves.
 *
 * @module
 */
import { EventEmitter } from 'node:events';
import type { IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import { Server as NetServer, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { experimental, ServerCredentials, type Server, type ServerInterceptor } from '@grpc/grpc-js';

/** The parts of a call of grpc-js that every call uses. `Reflect` takes twenty times as long to set a property. */
interface GrpcCall {
  readonly stream: unknown;
  readonly decoder: GrpcDecoder;
  maxReceiveMessageSize: number;
  /** Whether it has sent its metadata. */
  metadataSent: boolean;
  /** Whether it waits for its messages to leave, to send its status. */
  wantTrailers: boolean;
  decompressMessage: (this: GrpcCall, message: Uint8Array, compression: string) => unknown;
}

interface GrpcDecoder {
  readonly readState: number;
  maxReadMessageLength: number;
}

function isGrpcCall(call: object): call is GrpcCall {
  return 'stream' in call && 'decoder' in call && 'decompressMessage' in call;
}

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
  if (!isGrpcCall(call)) return;
  call.maxReceiveMessageSize = bytes;
  call.decoder.maxReadMessageLength = bytes;
}

/**
 * followMessageSize calls back when the size of the first message of a call is known: with its first bytes.
 *
 * grpc-js reports a message when all of it is in memory. It can go when grpc-js reports the size. Test:
 * limits-in-force.test.ts.
 *
 * @param call - the call that the first interceptor gets
 * @param most - the size of a message that is compressed: it is received up to this size
 * @param onSize - gets the bytes of the message
 */
export function followMessageSize(call: object, most: number, onSize: (bytes: number) => void): void {
  const decoder: unknown = Reflect.get(call, 'decoder');
  if (typeof decoder !== 'object' || decoder === null) return;
  const read: unknown = Reflect.get(decoder, 'write');
  if (typeof read !== 'function') return;
  let isKnown = false;
  Reflect.set(decoder, 'write', (data: unknown): unknown => {
    const messages: unknown = Reflect.apply(read, decoder, [data]);
    const size = Number(Reflect.get(decoder, 'readMessageSize'));
    if (!isKnown && size > 0) {
      isKnown = true;
      const mark: unknown = Reflect.get(decoder, 'readCompressFlag');
      onSize(mark instanceof Uint8Array && mark[0] === 0 ? size : most);
    }
    return messages;
  });
}

/** MessageCheck refuses messages. */
export interface MessageCheck {
  /**
   * Returns an error to refuse a message, or null.
   *
   * @param mark - the first byte of the message
   * @param compression - that of the call, for a compressed message; otherwise `identity`
   */
  refuseMessage(mark: number, compression: string): Error | null;
}

/**
 * checkCompression lets a check refuse each message of a call before it is decompressed.
 *
 * grpc-js decodes a message that is marked as compressed without a compression, or that is marked in an unknown way. It can
 * go when grpc-js refuses these (https://github.com/grpc/grpc/blob/master/doc/compression.md). Test: protocol.test.ts.
 *
 * @param call - the call that the first interceptor gets
 */
export function checkCompression(call: object, check: MessageCheck): void {
  if (!isGrpcCall(call)) return;
  const checked: GrpcCall & Partial<Checked> = call;
  checked[CHECK] = check;
  checked[DECOMPRESS] = call.decompressMessage;
  call.decompressMessage = checkAndDecompress;
}

const CHECK = Symbol('check');
const DECOMPRESS = Symbol('decompress');

interface Checked {
  [CHECK]: MessageCheck;
  [DECOMPRESS]: GrpcCall['decompressMessage'];
}

/** One function for all calls, as `pushAndReport`. */
function checkAndDecompress(
  this: GrpcCall & Partial<Checked>,
  message: Uint8Array,
  compression: string,
): unknown {
  const refusal = this[CHECK]?.refuseMessage(message[0] ?? 0, compression) ?? null;
  if (refusal !== null) throw refusal;
  return this[DECOMPRESS]?.(message, compression);
}

/**
 * endsWithinMessage reports whether only a part of a message has arrived.
 *
 * grpc-js drops such a part at the end of a request. It can go when grpc-js refuses it. Test: protocol.test.ts.
 *
 * @param call - the call that the first interceptor gets
 */
export function endsWithinMessage(call: object): boolean {
  return isGrpcCall(call) && call.decoder.readState !== 0;
}

/**
 * endsAlready reports whether a status waits for messages to leave: grpc-js sends one itself at the deadline of a call.
 *
 * At a second status grpc-js reports the end of the call at once, although the client has read neither. It can go when
 * grpc-js ignores that status. Test: slow-reader.test.ts.
 *
 * @param call - the call that the first interceptor gets
 */
export function endsAlready(call: object): boolean {
  return isGrpcCall(call) && call.wantTrailers;
}

/**
 * waitsForReader reports whether the status of a call that has sent metadata waits for its client to read what is before it.
 *
 * grpc-js reports the end of the call in this state at the deadline (see `endsAlready`), and leaves the stream open. It can go
 * when grpc-js resets the stream then. Test: slow-reader.test.ts.
 *
 * @param call - the call that the first interceptor gets
 */
export function waitsForReader(call: object): boolean {
  if (!isGrpcCall(call)) return false;
  const { stream } = call;
  return isHttp2Stream(stream) && !stream.destroyed && !stream.closed && stream.sentTrailers === undefined;
}

/** Together these are copied at less cost than they are written one by one. */
const JOINED_BYTES = 64 * 1024;

/**
 * writeParts writes parts of messages, which follow each other, to the HTTP/2 stream of a call whose metadata was sent.
 *
 * A server of grpc-js copies each message to add its prefix, and writes it when the one before has left. So a message of
 * bytes that are in memory anyway takes as much memory again, and a thousand small ones take a thousand turns. It can go
 * when grpc-js takes a message in parts, and several at once. Test: serve.test.ts.
 *
 * @param call - the call that the first interceptor gets
 * @param parts - must not change any more
 * @param written - is called when all have left, unless the stream closes before
 * @throws Error if grpc-js keeps its stream elsewhere.
 */
export function writeParts(call: object, parts: readonly Uint8Array[], written: () => void): void {
  const stream: unknown = Reflect.get(call, 'stream');
  if (!(stream instanceof Duplex)) throw new Error('grpc-js does not keep the stream in its call any more');
  if (stream.destroyed || stream.writableEnded) return;
  const onWritten = (error: unknown): void => {
    if (error === null || error === undefined) written();
  };
  write(stream, parts, onWritten);
}

function write(stream: Duplex, parts: readonly Uint8Array[], onWritten?: (error: unknown) => void): void {
  const bytes = parts.reduce((sum, part) => sum + part.length, 0);
  if (bytes <= JOINED_BYTES) return void stream.write(Buffer.concat(parts, bytes), onWritten);
  stream.cork();
  for (const part of parts.slice(0, -1)) stream.write(part);
  stream.write(parts.at(-1), onWritten);
  stream.uncork();
}

/** Responder is a call whose responses end now. */
export interface Responder {
  /** Is called when the last response has left, before the status. */
  responsesLeft(): void;
}

/**
 * finish sends the last messages of a call that succeeds, then its status, and before both the metadata if none was sent.
 *
 * A server of grpc-js makes metadata and three objects of headers for each call, copies the message to add its prefix, and
 * begins with the status when the message has left. It can go when a server of grpc-js sends the response of a unary call at
 * once. Test: serve.test.ts.
 *
 * @param call - the call that the first interceptor gets
 * @param requestId - the request id for the metadata; null if metadata was sent
 * @param parts - the messages with their prefixes, in parts that must not change any more
 */
export function finish(
  call: object,
  requestId: string | null,
  parts: readonly Uint8Array[],
  responder: Responder,
): void {
  const stream = isGrpcCall(call) ? call.stream : null;
  if (!isGrpcCall(call) || !isHttp2Stream(stream))
    throw new Error('grpc-js does not keep the stream in its call any more');
  // At the deadline grpc-js sends a status itself.
  const hasStatus = call.wantTrailers || stream.headersSent !== (requestId === null);
  if (hasStatus || stream.destroyed || stream.closed) return;
  // As grpc-js does, so that it sends no status from now on.
  call.metadataSent = true;
  call.wantTrailers = true;
  if (requestId !== null) {
    stream.respond(
      {
        ':status': 200,
        'content-type': 'application/grpc+proto',
        'grpc-accept-encoding': 'identity,deflate,gzip',
        'grpc-encoding': 'identity',
        'x-request-id': requestId,
      },
      WAIT_FOR_TRAILERS,
    );
  }
  const responding: ServerHttp2Stream & Partial<Responding> = stream;
  responding[RESPONDER] = responder;
  stream.on('wantTrailers', sendSuccess);
  if (parts.length > 0) write(stream, parts);
  stream.end();
}

const WAIT_FOR_TRAILERS = { waitForTrailers: true };
const RESPONDER = Symbol('responder');

interface Responding {
  [RESPONDER]: Responder | undefined;
}

function isHttp2Stream(stream: unknown): stream is ServerHttp2Stream {
  return stream instanceof Duplex && 'respond' in stream;
}

function sendSuccess(this: ServerHttp2Stream & Partial<Responding>): void {
  this.sendTrailers({ 'grpc-status': 0, 'grpc-message': 'OK' });
  this[RESPONDER]?.responsesLeft();
}

/** StreamFollower gets what happens to a stream. */
export interface StreamFollower {
  /** A chunk of the request has arrived. */
  received(bytes: number): void;
  /** The stream has closed. Every failure of a stream also closes it. */
  closed(): void;
}

/**
 * followStream reports the end of a stream and each chunk of its request, also those that nothing reads yet.
 *
 * Node keeps chunks, each with an object of its own, and has no event for it. It can go when Node joins small DATA frames.
 * Test: stream-gate.test.ts.
 */
export function followStream(stream: ServerHttp2Stream, follower: StreamFollower): void {
  const followed: ServerHttp2Stream & Partial<Followed> = stream;
  followed[FOLLOWER] = follower;
  stream.push = pushAndReport;
  stream.on('error', ignore);
  stream.on('close', reportClosed);
}

const FOLLOWER = Symbol('follower');

interface Followed {
  [FOLLOWER]: StreamFollower | undefined;
}

function ignore(): void {}

/** One function for all streams: with one for each, V8 keeps every stream until it next collects all garbage. */
function pushAndReport(
  this: ServerHttp2Stream & Partial<Followed>,
  chunk: Uint8Array | null,
  encoding?: BufferEncoding,
): boolean {
  if (chunk !== null) this[FOLLOWER]?.received(chunk.length);
  return Duplex.prototype.push.call(this, chunk, encoding);
}

/**
 * Also lets go of the call. Until V8 has optimised the constructor of Node's Writable, after some 20,000 calls, it keeps
 * each stream of Node 24 until it next collects all garbage: a function that is assigned to a property (`onwrite`) starts
 * its life among the old objects. A call takes five times as much as its stream.
 */
function reportClosed(this: ServerHttp2Stream & Partial<Followed & Responding>): void {
  this[FOLLOWER]?.closed();
  this[FOLLOWER] = undefined;
  this[RESPONDER] = undefined;
  // Node calls this one for each of the others that is removed.
  this.removeAllListeners('removeListener');
  this.removeAllListeners();
  this.on('error', ignore);
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

/** Injector passes connections, and then streams, to grpc-js. */
export interface Injector {
  /** Speaks HTTP/2 on a socket. Returns null if the client did not agree to HTTP/2. */
  connect(socket: Socket): ServerHttp2Session | null;
  /** Makes a call of a stream. */
  serve(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void;
  /** Reports whether the server has a method. */
  has(path: string): boolean;
}

/**
 * injectorOf returns an injector of a server whose streams become calls only when they are passed to `serve`.
 *
 * grpc-js makes a call of each stream at once, at a hundred times the cost of the stream. It can go when the HTTP/2 server
 * of an injector is public, or when grpc-js limits streams that are reset
 * (https://github.com/grpc/grpc-node/issues/2608). Test: stream-gate.test.ts.
 *
 * @throws Error if grpc-js keeps its HTTP/2 servers elsewhere.
 */
export function injectorOf(
  grpc: Server,
  interceptor: ServerInterceptor,
  onStream: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void,
): Injector {
  const credentials = experimental.createServerCredentialsWithInterceptors(
    ServerCredentials.createInsecure(),
    [interceptor],
  );
  const servers: unknown = Reflect.get(grpc, 'http2Servers');
  const handlers: unknown = Reflect.get(grpc, 'handlers');
  if (!(servers instanceof Map && handlers instanceof Map))
    throw new Error('grpc-js has no such maps any more');
  const earlier = new Set(servers.keys());
  const injector = grpc.createConnectionInjector(credentials);
  const http2: unknown = [...servers.keys()].find((each) => !earlier.has(each));
  const [serve] = http2 instanceof EventEmitter ? http2.listeners('stream') : [];
  if (!(http2 instanceof EventEmitter) || serve === undefined) throw new Error('grpc-js serves no streams');
  http2.removeAllListeners('stream').on('stream', onStream);
  closeWithoutSessions(http2);
  let session: ServerHttp2Session | null = null;
  http2.on('session', (each: ServerHttp2Session) => {
    session = each;
    closeAlsoIfDestroyed(each);
  });
  return {
    connect(socket) {
      session = null;
      injector.injectConnection(socket);
      return session;
    },
    serve: (stream, headers) => void Reflect.apply(serve, http2, [stream, headers]),
    has: (path) => handlers.has(path),
  };
}

/**
 * Keeps an HTTP/2 server from closing its sessions when it is closed.
 *
 * Since Node 24 it does so, before grpc-js closes them and waits for their calls: `tryShutdown` finds closed sessions, and waits for
 * nothing. It can go when grpc-js waits for sessions that are already closed. Test: start-daemon.test.ts on Node 24.
 */
function closeWithoutSessions(http2: EventEmitter): void {
  Reflect.set(http2, 'close', Reflect.get(NetServer.prototype, 'close'));
}

/**
 * Lets the close of a session call back also if the session is destroyed, once it is closed.
 *
 * Node does not call back then, so `tryShutdown` of grpc-js waits without end for a session that was destroyed shortly before. It
 * can go when grpc-js waits for no destroyed session. Test: stream-gate.test.ts.
 */
function closeAlsoIfDestroyed(session: ServerHttp2Session): void {
  const close = session.close.bind(session);
  session.close = (callback = () => {}) => {
    if (session.destroyed) session.once('close', callback);
    else close(callback);
  };
}

/** Whether Node ends the process if frames for new streams follow in the read in which their session is destroyed. */
const DESTROYS_LATER = process.version.startsWith('v22.');

/**
 * destroyWhileReading destroys a session with an error and a code, also while it reads.
 *
 * Node 22 makes no streams of the frames that follow in the same read, but reads them: `onread->IsFunction()` fails in
 * `StreamBase`. So there it is destroyed in the next turn. It can go with Node 22. Test: stream-gate.test.ts.
 */
export function destroyWhileReading(session: ServerHttp2Session, error: Error, code: number): void {
  if (!DESTROYS_LATER) return session.destroy(error, code);
  session.goaway(code);
  setImmediate(() => session.destroy(error, code));
}

/**
 * pauseReading stops reading from a socket that HTTP/2 uses. `resumeReading` continues.
 *
 * Node has no public way: `pause` of a socket has no effect once HTTP/2 reads it, and a stream in between would cost
 * throughput. It can go when Node limits how much of a session it processes at once. Test: loop-turn.test.ts.
 */
export function pauseReading(socket: Socket): void {
  callHandle(socket, 'readStop');
}

/** resumeReading continues to read from a socket. HTTP/2 may have stopped for its own reasons, and stops again then. */
export function resumeReading(socket: Socket): void {
  callHandle(socket, 'readStart');
}

function callHandle(socket: Socket, method: 'readStart' | 'readStop'): void {
  const handle: unknown = Reflect.get(socket, '_handle');
  if (typeof handle !== 'object' || handle === null) return;
  const call: unknown = Reflect.get(handle, method);
  if (typeof call === 'function') Reflect.apply(call, handle, []);
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
