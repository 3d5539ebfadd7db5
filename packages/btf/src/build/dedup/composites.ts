import { isComposite } from '../../kind-words.js';
import { Kind, type TypeId } from '../../types.js';
import { RUN } from '../../words.js';
import type { DedupState } from './dedup-state.js';
import { Equivalence } from './equivalence.js';
import { graphHashes, isGraph } from './graph-hash.js';
import { newSlots, withFreeSlots } from './id-slots.js';

/**
 * mapComposites maps equivalent STRUCTs, UNIONs and TYPEDEFs to one of them. Types can form cycles through these
 * kinds, so their references cannot be compared as ids.
 */
export function mapComposites(state: DedupState): void {
  const { own, referred } = graphHashes(state.graph);
  const equivalence = new Equivalence(state, referred);
  const candidates = new Candidates(own);
  for (let id = 1; id < state.endTypeId; id += RUN) mapRun(state, equivalence, candidates, id);
}

/** Maps some types. See {@link RUN}. */
function mapRun(state: DedupState, equivalence: Equivalence, candidates: Candidates, first: TypeId): void {
  const { kinds, shapes } = state.graph;
  const end = Math.min(state.endTypeId, first + RUN);
  for (let id = first; id < end; id++) {
    if (!isGraph(kinds[id] ?? 0)) continue;
    const isBase = id < state.firstTypeId;
    if (!isBase && state.isMapped(id)) continue;
    let canonical = isBase ? 0 : candidates.first(id);
    for (; canonical !== 0; canonical = candidates.next(canonical)) {
      state.step(id);
      if (shapes[id] === shapes[canonical] && equivalence.test(id, canonical) === 'EQUIVALENT') break;
    }
    if (!isBase) state.map(id, canonical === 0 ? id : canonical);
    if (canonical === 0) candidates.add(id);
  }
}

/** Candidates are the canonical types of each hash, in the order in which they were added. */
class Candidates {
  readonly #hashes: Int32Array;
  /** The first type of each hash. */
  #slots = newSlots();
  #count = 0;
  readonly #next: Int32Array;
  /** For the first type of each hash, the last. */
  readonly #last: Int32Array;

  constructor(hashes: Int32Array) {
    this.#hashes = hashes;
    this.#next = new Int32Array(hashes.length);
    this.#last = new Int32Array(hashes.length);
  }

  /** first returns the first candidate for a type; 0 if there is none. */
  first(id: TypeId): TypeId {
    return this.#slots[this.#slot(id)] ?? 0;
  }

  /** next returns the candidate after another one; 0 after the last. */
  next(candidate: TypeId): TypeId {
    return this.#next[candidate] ?? 0;
  }

  add(id: TypeId): void {
    const slot = this.#slot(id);
    const first = this.#slots[slot] ?? 0;
    if (first !== 0) {
      this.#next[this.#last[first] ?? 0] = id;
      this.#last[first] = id;
      return;
    }
    this.#last[id] = id;
    this.#slots[slot] = id;
    this.#count += 1;
    this.#slots = withFreeSlots(this.#slots, this.#count, this.#hashes);
  }

  #slot(id: TypeId): number {
    const hash = this.#hashes[id] ?? 0;
    const mask = this.#slots.length - 1;
    let at = hash & mask;
    for (
      let first = this.#slots[at];
      first !== 0 && this.#hashes[first ?? 0] !== hash;
      first = this.#slots[at]
    ) {
      at = (at + 1) & mask;
    }
    return at;
  }
}

/** Marks a name that several canonical structs or unions have. */
const AMBIGUOUS = -1;

/** mapForwards maps a FWD to the canonical struct or union of its kind and name, if there is exactly one. */
export function mapForwards(state: DedupState): void {
  const { graph, endTypeId } = state;
  const { kinds, names } = graph;
  const byName = new Int32Array(graph.nameCount);
  for (let id = 1; id < endTypeId; id++) {
    if (!isComposite(kinds[id] ?? 0) || !state.isCanonical(id)) continue;
    const name = names[id] ?? 0;
    byName[name] = byName[name] === 0 ? id : AMBIGUOUS;
  }
  for (let id = state.firstTypeId; id < endTypeId; id++) {
    if (kinds[id] !== Kind.FWD || !state.isCanonical(id)) continue;
    const declared = byName[names[id] ?? 0] ?? 0;
    if (declared > 0 && graph.isDeclarationOf(id, declared)) state.map(id, declared);
  }
}
