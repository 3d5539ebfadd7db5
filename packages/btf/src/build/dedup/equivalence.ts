import { isComposite } from '../../kind-words.js';
import { Kind, type TypeId } from '../../types.js';
import { withRoom } from '../../words.js';
import type { DedupState } from './dedup-state.js';
import { Identical } from './identical.js';
import { PairSet } from './pair-set.js';
import { PendingPairs } from './pending-pairs.js';

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
  #order: Int32Array = new Int32Array(256);
  #count = 0;
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
    this.#pairs = new PendingPairs(state.graph);
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
    this.#forget();
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
    const { graph } = state;
    state.step(candidate);
    if (state.resolve(candidate) === state.resolve(canonicalOrForward)) return true;
    const canonical = this.#resolveForward(canonicalOrForward);
    if (this.#hashes[candidate] !== this.#hashes[canonical]) return false;
    if (this.#different.has(candidate, canonical)) return false;
    const assumed = this.#assumed[canonical] ?? NONE;
    if (assumed !== NONE) return assumed === candidate || this.#identical.test(assumed, candidate);
    this.#assume(candidate, canonical);
    if (graph.kinds[candidate] !== graph.kinds[canonical]) return this.#compareForward(candidate, canonical);
    if (graph.compatibleEnums(candidate, canonical)) return true;
    if (graph.shapes[candidate] !== graph.shapes[canonical]) return false;
    this.#pairs.pushReferences(candidate, canonical);
    return true;
  }

  #assume(candidate: TypeId, canonical: TypeId): void {
    this.#assumed[canonical] = candidate;
    this.#order = withRoom(this.#order, this.#count + 1);
    this.#order[this.#count] = canonical;
    this.#count += 1;
  }

  #forget(): void {
    for (let i = 0; i < this.#count; i++) this.#assumed[this.#order[i] ?? 0] = NONE;
    this.#count = 0;
  }

  #compareForward(candidate: TypeId, canonical: TypeId): boolean {
    const { graph, firstTypeId } = this.#state;
    if (graph.isDeclarationOf(candidate, canonical)) return true;
    if (!graph.isDeclarationOf(canonical, candidate)) return false;
    if (canonical < firstTypeId) this.#needsBaseChange = true;
    return true;
  }

  /** The known declaration of a FWD of the canonical graph. FWDs of the candidate's graph stay as they are. */
  #resolveForward(id: TypeId): TypeId {
    const { kinds } = this.#state.graph;
    if (kinds[id] !== Kind.FWD) return id;
    const resolved = this.#state.resolve(id);
    return kinds[resolved] === Kind.FWD ? id : resolved;
  }

  #apply(): void {
    const state = this.#state;
    const { kinds } = state.graph;
    for (let i = 0; i < this.#count; i++) {
      const canonical = this.#order[i] ?? 0;
      const one = state.resolve(this.#assumed[canonical] ?? 0);
      const other = state.resolve(canonical);
      const oneKind = kinds[one] ?? 0;
      const otherKind = kinds[other] ?? 0;
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
