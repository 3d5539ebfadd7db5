import type { Peer } from './peer.js';
import { ANONYMOUS, OVERFLOW_ID } from './principal.js';

/** ROLES are what a caller may be, from the least to the most; each may do what those before it may. */
export const ROLES = ['viewer', 'inspector', 'loader'] as const;

/**
 * Role is what a caller may do: a viewer sees the kernel's own objects, an inspector users' objects too, and who uses
 * an object; a loader also loads BTF into the kernel.
 */
export type Role = (typeof ROLES)[number];

/** hasRole says whether a role, or null for none, is enough where one is needed. */
export function hasRole(role: Role | null, needed: Role): boolean {
  return role !== null && ROLES.indexOf(role) >= ROLES.indexOf(needed);
}

/** higherRole is the one that may do more. */
export function higherRole(a: Role | null, b: Role | null): Role | null {
  return a !== null && (b === null || hasRole(a, b)) ? a : b;
}

/** PolicyRules are what a policy file and options say. */
export interface PolicyRules {
  /** Roles by principal, as `parsePrincipal` writes them. */
  readonly roles: ReadonlyMap<string, Role>;
  /** Whether the common name of a certificate counts. */
  readonly commonNames: boolean;
  /** Whether what holds without rules holds besides them. */
  readonly defaults: boolean;
}

/** NO_RULES is the policy of who says nothing. */
export const NO_RULES: PolicyRules = { roles: new Map(), commonNames: false, defaults: true };

/** mergeRules puts rules together: a principal in both has the higher role. */
export function mergeRules(a: PolicyRules, b: PolicyRules): PolicyRules {
  const roles = new Map(a.roles);
  for (const [principal, role] of b.roles)
    roles.set(principal, higherRole(roles.get(principal) ?? null, role) ?? role);
  return { roles, commonNames: a.commonNames || b.commonNames, defaults: a.defaults && b.defaults };
}

/**
 * Policy says who may do what. Without rules:
 *
 * - root and the daemon's own user are loaders: they could do all of it themselves;
 * - the group of a unix socket are viewers: the socket's mode is what lets them in;
 * - `anonymous` is a viewer: what the kernel shows of itself in `/sys/kernel/btf` is readable for every local user;
 * - everybody else has no role.
 */
export class Policy {
  readonly #rules: PolicyRules;
  readonly #ownUid: number;
  constructor(rules: PolicyRules, ownUid: number) {
    this.#rules = rules;
    this.#ownUid = ownUid;
  }

  /**
   * A peer's names as principals; the first one is the peer's own, which owns handles and stands in logs. None for a
   * peer without a name that counts.
   */
  namesOf(peer: Peer): readonly string[] {
    switch (peer.kind) {
      case 'unix':
        return [`uid:${peer.uid}`, ...peer.gids.map((gid) => `gid:${gid}`)];
      case 'tls':
        return this.#rules.commonNames && peer.commonName !== null
          ? [...peer.names, peer.commonName]
          : peer.names;
      case 'anonymous':
        return [ANONYMOUS];
      case 'unknown':
        return [];
    }
  }

  /** The peer's own name as a principal, or null. */
  principalOf(peer: Peer): string | null {
    return this.namesOf(peer)[0] ?? null;
  }

  /** The highest role that any of a peer's names has, or null. */
  roleOf(peer: Peer): Role | null {
    let role: Role | null = null;
    for (const name of this.namesOf(peer)) role = higherRole(role, this.#rules.roles.get(name) ?? null);
    return this.#rules.defaults ? higherRole(role, this.#defaultRole(peer)) : role;
  }

  #defaultRole(peer: Peer): Role | null {
    if (peer.kind === 'anonymous') return this.#rules.roles.has(ANONYMOUS) ? null : 'viewer';
    if (peer.kind !== 'unix') return null;
    if (peer.uid === 0 || (peer.uid === this.#ownUid && peer.uid !== OVERFLOW_ID)) return 'loader';
    return peer.socketGid !== OVERFLOW_ID && peer.gids.includes(peer.socketGid) ? 'viewer' : null;
  }
}

/** CurrentPolicy is the policy in force, which may be replaced. */
export class CurrentPolicy {
  #policy: Policy;
  readonly #listeners = new Set<() => void>();

  constructor(policy: Policy) {
    this.#policy = policy;
  }

  get now(): Policy {
    return this.#policy;
  }

  /** Puts another policy in force, and tells who listens. */
  replace(policy: Policy): void {
    this.#policy = policy;
    for (const listener of this.#listeners) listener();
  }

  onReplaced(listener: () => void): void {
    this.#listeners.add(listener);
  }
}
