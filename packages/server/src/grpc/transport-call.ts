/**
 * transportCall is the call of grpc-js that has the HTTP/2 stream, behind the interceptors that stand before it. What
 * grpc-js (1.14) keeps to itself there has to be looked at with care: it may be another in another version.
 */
export function transportCall(call: object): object {
  const next = 'nextCall' in call ? call.nextCall : null;
  return typeof next === 'object' && next !== null ? transportCall(next) : call;
}
