import { ErrorReason } from '@btfd/api';
import type { Metadata } from '@grpc/grpc-js';
import { PeerCaller, roleForbids } from '../../auth/caller.js';
import type { Peer } from '../../auth/peer.js';
import type { CurrentPolicy, Role } from '../../auth/policy.js';
import { ServiceError } from '../../error/service-error.js';

/** Connection is what is known about a connection. It holds for all of its calls. */
export interface Connection {
  /** The other end of the connection. */
  readonly peer: Peer;
  /** The error of every call on the connection; null if each call is judged on its own. */
  readonly refusal: ServiceError | null;
}

/** Arrival is what is known about a call before grpc-js has it. */
export interface Arrival {
  readonly connection: Connection;
  /** The client's address; empty if it has none, as on a unix socket. */
  readonly address: string;
  /** The metadata has at most this many bytes; Infinity if only counting them says how many. */
  readonly mostMetadata: number;
  /** A deadline that is too far away for grpc-js, in milliseconds since 1970; otherwise Infinity. */
  readonly farDeadline: number;
}

/**
 * admit returns the caller of a call on a connection. The identity is that of the connection, so there is nothing in a
 * header to forge.
 *
 * @param needed - the role that the method needs; null for none
 * @throws ServiceError UNAUTHENTICATED if the connection does not prove who calls.
 * @throws ServiceError ROLE_FORBIDS if the caller lacks the role.
 * @throws ServiceError the connection's refusal, if it has one.
 */
export function admit(
  { peer, refusal }: Connection,
  policy: CurrentPolicy,
  needed: Role | null,
  method: string,
): PeerCaller {
  if (refusal !== null) throw refusal;
  const principal = policy.now.principalOf(peer);
  if (principal === null) throw unauthenticated(whyNobody(peer));
  if (peer.kind === 'tls' && Date.now() > peer.validUntil) throw expired();
  const caller = new PeerCaller(peer, principal, policy);
  if (needed !== null && !caller.may(needed)) throw roleForbids(caller, needed, method);
  return caller;
}

/**
 * checkMetadata checks the size of a call's metadata.
 *
 * @throws ServiceError MESSAGE_TOO_LARGE if it has more bytes than the limit.
 */
export function checkMetadata(metadata: Metadata, limit: number): void {
  let size = 0;
  for (const [key, values] of Object.entries(metadata.toHttp2Headers())) {
    for (const value of [values].flat()) size += key.length + String(value ?? '').length;
  }
  if (size <= limit) return;
  const message = `the metadata has ${size} bytes; at most ${limit} are allowed`;
  throw new ServiceError(ErrorReason.MESSAGE_TOO_LARGE, message, {
    metadata: { size: String(size), limit: String(limit) },
  });
}

/** expired returns the error for calls on a connection whose client certificate has expired. */
export function expired(): ServiceError {
  return unauthenticated('the client certificate has expired since the connection was made');
}

/** unauthenticated returns the error for a call whose caller is not known. */
export function unauthenticated(message: string): ServiceError {
  return new ServiceError(ErrorReason.UNAUTHENTICATED, message);
}

function whyNobody(peer: Peer): string {
  return peer.kind === 'unknown'
    ? peer.why
    : 'the client certificate names nobody: it has no URI and no DNS name';
}
