/**
 * transportCall is the call of grpc-js that has the HTTP/2 stream, behind the interceptors that stand before it. What
 * grpc-js (1.14) keeps to itself there has to be looked at with care: it may be another in another version.
 */
export function transportCall(call: object): object {
  const next = 'nextCall' in call ? call.nextCall : null;
  return typeof next === 'object' && next !== null ? transportCall(next) : call;
}

/** resetTransport breaks the HTTP/2 stream of a call: grpc-js (1.14) has no way to do so from the server. */
export function resetTransport(call: object, code: number): void {
  const stream: unknown = Reflect.get(transportCall(call), 'stream');
  if (typeof stream !== 'object' || stream === null || !('close' in stream)) return;
  if (typeof stream.close === 'function') stream.close(code);
}
