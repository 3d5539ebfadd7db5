import { ErrorReason, Origin } from '@btfd/api';
import { ServiceError } from '../error/service-error.js';
import { type CurrentPolicy, type Policy, hasRole, higherRole, type Role } from './policy.js';
import type { Peer } from './peer.js';

/** Caller is who makes a call, and what the policy in force lets them do. */
export interface Caller {
  /**
   * Names the caller in logs and quotas, and owns the handles that it gets: `uid:1000` on a unix socket; the first URI
   * of the certificate, else its first DNS name, else `cn:…` where that counts, on TLS; `anonymous` on loopback TCP.
   */
  readonly principal: string;
  /** Null for a principal that the policy gives none. */
  readonly role: Role | null;
  /** Says whether the role is enough where one is needed. */
  may(needed: Role): boolean;
  /** Says whether objects of an origin may be seen. */
  maySee(origin: Origin): boolean;
}

/**
 * requireRole throws where a caller's role isn't enough.
 *
 * @param what - what needs the role, such as `LoadHandle`
 * @throws ServiceError with ROLE_FORBIDS.
 */
export function requireRole(caller: Caller, needed: Role, what: string): void {
  if (!caller.may(needed)) throw roleForbids(caller, needed, what);
}

/**
 * requireSight throws where a caller may not see an object of an origin.
 *
 * @throws ServiceError with ROLE_FORBIDS.
 */
export function requireSight(caller: Caller, origin: Origin): void {
  if (!caller.maySee(origin)) throw roleForbids(caller, roleToSee(origin), 'an object that a user loaded');
}

/** roleForbids is the error for a caller whose role isn't enough. */
export function roleForbids({ principal, role }: Caller, needed: Role, what: string): ServiceError {
  const has = role === null ? 'has no role' : `is ${role}`;
  return new ServiceError(ErrorReason.ROLE_FORBIDS, `${principal} ${has}; ${what} needs ${needed}`, {
    metadata: { principal, role: role ?? '', needed_role: needed },
  });
}

/** PeerCaller is a caller by the peer of its connection. Its role is the one of the policy in force at any time. */
export class PeerCaller implements Caller {
  readonly #peer: Peer;
  readonly #policy: CurrentPolicy;
  readonly principal: string;
  /** The highest role that the call was let do something by: it can't go on without it. */
  #used: Role | null = null;
  #seen: { readonly policy: Policy; readonly role: Role | null } | null = null;

  /** @param names - the peer's names as principals, its own first */
  constructor(peer: Peer, [principal]: readonly [string, ...string[]], policy: CurrentPolicy) {
    this.#peer = peer;
    this.#policy = policy;
    this.principal = principal;
  }

  get role(): Role | null {
    const policy = this.#policy.now;
    if (this.#seen?.policy !== policy) this.#seen = { policy, role: policy.roleOf(this.#peer) };
    return this.#seen.role;
  }

  may(needed: Role): boolean {
    const may = hasRole(this.role, needed);
    if (may) this.#used = higherRole(this.#used, needed);
    return may;
  }

  maySee(origin: Origin): boolean {
    return this.may(roleToSee(origin));
  }

  /** The role that the call went by and that the caller doesn't have any more, or null. */
  lost(): Role | null {
    return this.#used === null || hasRole(this.role, this.#used) ? null : this.#used;
  }
}

function roleToSee(origin: Origin): Role {
  return origin === Origin.USER ? 'inspector' : 'viewer';
}
