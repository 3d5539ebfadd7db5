import { isComposite } from '../../kind-words.js';
import { Kind, type TypeId } from '../../types.js';
import type { DedupState } from './dedup-state.js';
import { Identical } from './identical.js';
import { PairSet } from './pair-set.js';
import { PendingPairs } from './pending-pairs.js';
import { compatibleEnums, isDeclarationOf, sameShape } from './same-shape.js';

const NONE = -1;

/** Verdict is the result of comparing the graphs of two types. */
export type Verdict = 'EQUIVALENT' | 'DIFFERENT' | 'NEEDS_BASE_CHANGE';

/**
 * Equivalence compares the graph of types that a candidate leads to with that of a canonical type. Modelled on libbpf's
 * `btf_dedup_is_equiv`: it walks both along all references, and assumes that each type of the canonical graph
 * corresponds to one type of the candidate's graph. A FWD corresponds to a struct or union of its name.
 */
export class Equivalence {
  readonly #state: DedupState;
  readonly #hashes: Int32Array;
  readonly #pairs: PendingPairs;
  readonly #identical: Identical;
  /** For each type of the canonical graph, the type of the candidate's graph that it is assumed to correspond to. */
  readonly #assumed: Int32Array;
  /** The types with an assumption, in order. */
  readonly #order: TypeId[] = [];
  #needsBaseChange = false;
  /**
   * The pairs that were different, since the last type was mapped to another one. A graph that leads to such a pair is
   * different too. A module of Linux 6.18 or newer can have thousands of types twice that all lead to the same difference.
   */
  readonly #different = new PairSet();
  #merges = 0;

  /** @param hashes see {@link GraphHashes.referred}. */
  constructor(state: DedupState, hashes: Int32Array) {
    this.#state = state;
    this.#hashes = hashes;
    this.#pairs = new PendingPairs(state);
    this.#identical = new Identical(state);
    this.#assumed = new Int32Array(state.endTypeId).fill(NONE);
  }

  /**
   * test compares two graphs. If they are equivalent, it maps FWDs to the types that they declare, and composites to
   * their counterparts that are canonical.
   *
   * `NEEDS_BASE_CHANGE` means that they would be equivalent if a FWD of the base were resolved. Bases do not change.
   */
  test(candidate: TypeId, canonical: TypeId): Verdict {
    for (const id of this.#order) this.#assumed[id] = NONE;
    this.#order.length = 0;
    this.#needsBaseChange = false;
    if (this.#merges !== this.#state.merges) this.#different.clear();
    this.#merges = this.#state.merges;
    const pairs = this.#pairs;
    for (pairs.start(candidate, canonical); pairs.pop();) {
      if (this.#compare(pairs.first, pairs.second)) continue;
      this.#different.add(candidate, canonical);
      return 'DIFFERENT';
    }
    this.#apply();
    return this.#needsBaseChange ? 'NEEDS_BASE_CHANGE' : 'EQUIVALENT';
  }

  #compare(candidate: TypeId, canonicalOrForward: TypeId): boolean {
    const state = this.#state;
    state.step(candidate);
    if (state.resolve(candidate) === state.resolve(canonicalOrForward)) return true;
    const canonical = this.#resolveForward(canonicalOrForward);
    if (this.#hashes[candidate] !== this.#hashes[canonical]) return false;
    if (this.#different.has(candidate, canonical)) return false;
    const assumed = this.#assumed[canonical] ?? NONE;
    if (assumed !== NONE) return assumed === candidate || this.#identical.test(assumed, candidate);
    this.#assumed[canonical] = candidate;
    this.#order.push(canonical);
    if (state.kind(candidate) !== state.kind(canonical)) return this.#compareForward(candidate, canonical);
    if (compatibleEnums(state, candidate, canonical)) return true;
    if (!sameShape(state, candidate, canonical)) return false;
    this.#pairs.pushReferences(candidate, canonical);
    return true;
  }

  #compareForward(candidate: TypeId, canonical: TypeId): boolean {
    const state = this.#state;
    if (isDeclarationOf(state, candidate, canonical)) return true;
    if (!isDeclarationOf(state, canonical, candidate)) return false;
    if (canonical < state.firstTypeId) this.#needsBaseChange = true;
    return true;
  }

  /** The known declaration of a FWD of the canonical graph. FWDs of the candidate's graph stay as they are. */
  #resolveForward(id: TypeId): TypeId {
    if (this.#state.kind(id) !== Kind.FWD) return id;
    const resolved = this.#state.resolve(id);
    return this.#state.kind(resolved) === Kind.FWD ? id : resolved;
  }

  #apply(): void {
    const state = this.#state;
    for (const canonical of this.#order) {
      const one = state.resolve(this.#assumed[canonical] ?? 0);
      const other = state.resolve(canonical);
      const oneKind = state.kind(one);
      const otherKind = state.kind(other);
      // A FWD of the base that the split BTF resolves leads the split BTF's own FWDs there.
      if (oneKind !== Kind.FWD && otherKind === Kind.FWD) state.map(other, one);
      if (this.#needsBaseChange) continue;
      if (oneKind === Kind.FWD && otherKind !== Kind.FWD) state.map(one, other);
      // A composite may only be mapped this early if its counterpart is certainly canonical.
      if (isComposite(oneKind) && otherKind !== Kind.FWD && state.isMapped(other) && !state.isMapped(one)) {
        state.map(one, other);
      }
    }
  }
}
