import { ErrorReason, Origin } from '@btfd/api';
import { ServiceError } from '../error/service-error.js';
import { type CurrentPolicy, type Policy, hasRole, higherRole, type Role } from './policy.js';
import type { Peer } from './peer.js';

/** Caller is the peer that makes a call, with the rights that the policy in force gives it. */
export interface Caller {
  /**
   * The caller's name in logs and quotas, which also owns its handles. On a unix socket: `uid:1000`. With TLS: the first
   * URI of the certificate, otherwise its first DNS name, otherwise `cn:…` if common names count. On loopback TCP:
   * `anonymous`.
   */
  readonly principal: string;
  /** Null if the policy gives the principal no role. */
  readonly role: Role | null;
  /** Reports whether the caller has a role, or a higher one. */
  may(needed: Role): boolean;
  /** Reports whether the caller may see objects of an origin. */
  maySee(origin: Origin): boolean;
}

/**
 * requireRole checks that a caller has a role.
 *
 * @param what - the operation that needs the role, such as `LoadHandle`
 * @throws ServiceError ROLE_FORBIDS if the caller does not have it.
 */
export function requireRole(caller: Caller, needed: Role, what: string): void {
  if (!caller.may(needed)) throw roleForbids(caller, needed, what);
}

/**
 * requireSight checks that a caller may see objects of an origin.
 *
 * @throws ServiceError ROLE_FORBIDS if it may not.
 */
export function requireSight(caller: Caller, origin: Origin): void {
  if (!caller.maySee(origin)) throw roleForbids(caller, roleToSee(origin), 'an object that a user loaded');
}

/** roleForbids returns the error for a caller that lacks a role. */
export function roleForbids({ principal, role }: Caller, needed: Role, what: string): ServiceError {
  const has = role === null ? 'has no role' : `has the role ${role}`;
  return new ServiceError(ErrorReason.ROLE_FORBIDS, `${principal} ${has}; ${what} needs ${needed}`, {
    metadata: { principal, role: role ?? '', needed_role: needed },
  });
}

/** PeerCaller is the caller at the other end of a connection. Its role follows the policy in force. */
export class PeerCaller implements Caller {
  readonly #peer: Peer;
  readonly #policy: CurrentPolicy;
  readonly principal: string;
  /** The highest role that the call has needed. It ends if the caller loses that role. */
  #used: Role | null = null;
  #seen: { readonly policy: Policy; readonly role: Role | null } | null = null;

  /** @param principal - the peer's own name */
  constructor(peer: Peer, principal: string, policy: CurrentPolicy) {
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

  /** The role that the call has needed and that the caller has lost; null if it has lost none. */
  lost(): Role | null {
    return this.#used === null || hasRole(this.role, this.#used) ? null : this.#used;
  }
}

function roleToSee(origin: Origin): Role {
  return origin === Origin.USER ? 'inspector' : 'viewer';
}
