import type { TypeId } from '../../types.js';
import type { DedupState } from './dedup-state.js';
import { PendingPairs } from './pending-pairs.js';
import { compatibleEnums, sameShape } from './same-shape.js';

/**
 * Identical compares two types of one compilation unit. A compiler should have made only one of them, but some repeat
 * equal types within a struct. Forward declarations are not resolved here.
 */
export class Identical {
  readonly #state: DedupState;
  readonly #pairs: PendingPairs;
  /** The same two types meet again and again in a kernel that has many types twice, as kernels since Linux 7.1 do. */
  readonly #results = new Map<number, boolean>();

  constructor(state: DedupState) {
    this.#state = state;
    this.#pairs = new PendingPairs(state);
  }

  /** test reports whether two types are equal with everything that they refer to. */
  test(first: TypeId, second: TypeId): boolean {
    const key = this.#state.pair(first, second);
    const result = this.#results.get(key) ?? this.#compare(first, second);
    this.#results.set(key, result);
    return result;
  }

  #compare(first: TypeId, second: TypeId): boolean {
    const state = this.#state;
    const pairs = this.#pairs;
    const seen = new Set<number>();
    for (pairs.start(first, second); pairs.pop();) {
      const { first: one, second: other } = pairs;
      if (one === other || (state.resolve(one) === state.resolve(other) && state.isMapped(one))) continue;
      const key = state.pair(one, other);
      if (seen.has(key)) continue;
      seen.add(key);
      state.step(one);
      const known = this.#results.get(key);
      if (known === false) return false;
      if (known === true || compatibleEnums(state, one, other)) continue;
      if (!sameShape(state, one, other)) return false;
      pairs.pushReferences(one, other);
    }
    return true;
  }
}
