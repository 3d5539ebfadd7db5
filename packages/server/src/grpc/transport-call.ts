import { constants } from 'node:http2';
import { Duplex } from 'node:stream';

/**
 * transportCall is the call of grpc-js that has the HTTP/2 stream, behind the interceptors that stand before it. What
 * grpc-js (1.14) keeps to itself there has to be looked at with care: it may be another in another version.
 */
export function transportCall(call: object): object {
  const next = 'nextCall' in call ? call.nextCall : null;
  return typeof next === 'object' && next !== null ? transportCall(next) : call;
}

/**
 * transportStream is the HTTP/2 stream of a call of grpc-js, or null. It stays until the client has ended it, too.
 */
export function transportStream(call: object): Duplex | null {
  const stream: unknown = Reflect.get(transportCall(call), 'stream');
  return stream instanceof Duplex ? stream : null;
}

/** resetTransport breaks the HTTP/2 stream of a call: grpc-js (1.14) has no way to do so from the server. */
export function resetTransport(call: object): void {
  const stream = transportStream(call);
  if (stream !== null && 'close' in stream && typeof stream.close === 'function') {
    stream.close(constants.NGHTTP2_CANCEL);
  }
}
