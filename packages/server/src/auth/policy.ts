import type { Peer } from './peer.js';
import { ANONYMOUS, OVERFLOW_ID } from './principal.js';

/** ROLES are the roles in ascending order. Each includes those before it. */
export const ROLES = ['viewer', 'inspector', 'loader'] as const;

/**
 * Role is a set of rights. A viewer sees the kernel's own objects. An inspector also sees users' objects, and the users
 * of an object. A loader also loads BTF into the kernel.
 */
export type Role = (typeof ROLES)[number];

/** hasRole reports whether a role includes the one that is needed. Null stands for none. */
export function hasRole(role: Role | null, needed: Role): boolean {
  return role !== null && ROLES.indexOf(role) >= ROLES.indexOf(needed);
}

/** higherRole returns the higher of two roles. Null stands for none. */
export function higherRole(a: Role | null, b: Role | null): Role | null {
  return a !== null && (b === null || hasRole(a, b)) ? a : b;
}

/** POLICY_LISTS are the lists of principals in a policy, with the role that each list gives. */
export const POLICY_LISTS = {
  viewers: 'viewer',
  inspectors: 'inspector',
  loaders: 'loader',
} as const satisfies Record<string, Role>;

/** PolicyRules are the contents of a policy file or of options. */
export interface PolicyRules {
  /** Roles by principal, in the form that `parsePrincipal` returns. */
  readonly roles: ReadonlyMap<string, Role>;
  /** Whether the common name of a certificate counts as a principal. */
  readonly commonNames: boolean;
  /** Whether the default roles apply in addition. */
  readonly defaults: boolean;
}

/** NO_RULES are the rules of an empty policy. */
export const NO_RULES: PolicyRules = { roles: new Map(), commonNames: false, defaults: true };

/** mergeRules merges two sets of rules. A principal in both has the higher role. */
export function mergeRules(a: PolicyRules, b: PolicyRules): PolicyRules {
  const roles = new Map(a.roles);
  for (const [principal, role] of b.roles)
    roles.set(principal, higherRole(roles.get(principal) ?? null, role) ?? role);
  return { roles, commonNames: a.commonNames || b.commonNames, defaults: a.defaults && b.defaults };
}

/**
 * Policy gives each peer a role. The default roles:
 *
 * - root and the daemon's own user are loaders: they could do everything without the daemon;
 * - members of the unix socket's group are viewers: the socket's mode lets them connect;
 * - `anonymous` is a viewer: every local user may read `/sys/kernel/btf`;
 * - everybody else has no role.
 */
export class Policy {
  readonly #rules: PolicyRules;
  readonly #ownUid: number;
  /** The names and the role of each peer. Every call of a connection needs them. */
  readonly #known = new WeakMap<Peer, { readonly names: readonly string[]; readonly role: Role | null }>();

  constructor(rules: PolicyRules, ownUid: number) {
    this.#rules = rules;
    this.#ownUid = ownUid;
  }

  /**
   * Returns a peer's names as principals. The first is the peer's own name, which owns its handles and appears in logs. A
   * peer without a name that counts has none.
   */
  namesOf(peer: Peer): readonly string[] {
    return this.#of(peer).names;
  }

  #of(peer: Peer): { readonly names: readonly string[]; readonly role: Role | null } {
    const known = this.#known.get(peer);
    if (known !== undefined) return known;
    const names = this.#findNames(peer);
    const found = { names, role: this.#findRole(peer, names) };
    this.#known.set(peer, found);
    return found;
  }

  #findNames(peer: Peer): readonly string[] {
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

  /** Returns a peer's own name as a principal; null if it has none. */
  principalOf(peer: Peer): string | null {
    return this.namesOf(peer)[0] ?? null;
  }

  /** Returns the highest role of any of a peer's names, or null. */
  roleOf(peer: Peer): Role | null {
    return this.#of(peer).role;
  }

  #findRole(peer: Peer, names: readonly string[]): Role | null {
    let role: Role | null = null;
    for (const name of names) role = higherRole(role, this.#rules.roles.get(name) ?? null);
    return this.#rules.defaults ? higherRole(role, this.#defaultRole(peer)) : role;
  }

  #defaultRole(peer: Peer): Role | null {
    if (peer.kind === 'anonymous') return this.#rules.roles.has(ANONYMOUS) ? null : 'viewer';
    if (peer.kind !== 'unix') return null;
    if (peer.uid === 0 || (peer.uid === this.#ownUid && peer.uid !== OVERFLOW_ID)) return 'loader';
    return peer.socketGid !== OVERFLOW_ID && peer.gids.includes(peer.socketGid) ? 'viewer' : null;
  }
}

/** CurrentPolicy holds the policy in force, which can be replaced. */
export class CurrentPolicy {
  #policy: Policy;
  readonly #listeners = new Set<() => void>();

  constructor(policy: Policy) {
    this.#policy = policy;
  }

  get now(): Policy {
    return this.#policy;
  }

  /** Puts another policy in force and notifies the listeners. */
  replace(policy: Policy): void {
    this.#policy = policy;
    for (const listener of this.#listeners) listener();
  }

  onReplaced(listener: () => void): void {
    this.#listeners.add(listener);
  }
}
