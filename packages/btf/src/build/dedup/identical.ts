import type { TypeId } from '../../types.js';
import type { DedupState } from './dedup-state.js';
import { PairSet } from './pair-set.js';
import { PendingPairs } from './pending-pairs.js';

/**
 * Identical compares two types of one compilation unit. A compiler should have made only one of them, but some repeat
 * equal types within a struct. Forward declarations are not resolved here.
 */
export class Identical {
  readonly #state: DedupState;
  readonly #pairs: PendingPairs;
  // The same two types meet again and again in a kernel that has many types twice, as kernels since Linux 7.1 do.
  readonly #equal = new PairSet();
  readonly #different = new PairSet();
  /** The pairs that the comparison under way has met. */
  readonly #seen = new PairSet();

  constructor(state: DedupState) {
    this.#state = state;
    this.#pairs = new PendingPairs(state.graph);
  }

  /** test reports whether two types are equal with everything that they refer to. */
  test(first: TypeId, second: TypeId): boolean {
    if (this.#equal.has(first, second)) return true;
    if (this.#different.has(first, second)) return false;
    const result = this.#compare(first, second);
    (result ? this.#equal : this.#different).add(first, second);
    return result;
  }

  #compare(first: TypeId, second: TypeId): boolean {
    const state = this.#state;
    const { graph } = state;
    const pairs = this.#pairs;
    const seen = this.#seen;
    seen.clear();
    for (pairs.start(first, second); pairs.pop();) {
      const { first: one, second: other } = pairs;
      if (one === other || (state.resolve(one) === state.resolve(other) && state.isMapped(one))) continue;
      if (seen.has(one, other)) continue;
      state.step(one);
      if (this.#different.has(one, other)) return false;
      if (this.#equal.has(one, other) || graph.compatibleEnums(one, other)) continue;
      if (graph.shapes[one] !== graph.shapes[other]) return false;
      seen.add(one, other);
      pairs.pushReferences(one, other);
    }
    return true;
  }
}
