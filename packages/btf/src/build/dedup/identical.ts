import type { TypeId } from '../../types.js';
import type { DedupState } from './dedup-state.js';
import { PendingPairs } from './pending-pairs.js';
import { compatibleEnums, sameShape } from './same-shape.js';

/** Most pairs to compare: compilers repeat small types, arrays and pointers above all. */
const MAX_PAIRS = 4096;

/**
 * Identical compares two types of one compilation unit. A compiler should have made one of both, but some repeat
 * equal types within one struct; forward declarations are never resolved here.
 */
export class Identical {
  readonly #state: DedupState;
  readonly #pairs: PendingPairs;
  /** The same two types meet again and again where a kernel has many types twice, as those since Linux 7.1. */
  readonly #results = new Map<number, boolean>();

  constructor(state: DedupState) {
    this.#state = state;
    this.#pairs = new PendingPairs(state);
  }

  /** test tells whether both are equal with all that they refer to; false too where that is too much to find out. */
  test(first: TypeId, second: TypeId): boolean {
    const key = this.#key(first, second);
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
      const key = this.#key(one, other);
      if (seen.has(key)) continue;
      seen.add(key);
      state.step(one);
      if (seen.size > MAX_PAIRS) return false;
      if (compatibleEnums(state, one, other)) continue;
      if (!sameShape(state, one, other)) return false;
      pairs.pushReferences(one, other);
    }
    return true;
  }

  #key(first: TypeId, second: TypeId): number {
    return first * this.#state.endTypeId + second;
  }
}
