import { Kind, type TypeId } from '../../types.js';
import { WordIndex } from '../word-index.js';
import type { DedupState } from './dedup-state.js';
import { kindTest } from '../../kind-words.js';

/**
 * mapPrimitives maps equal INTs, FLOATs, FWDs, ENUMs and ENUM64s to the first of them. An `enum` without values is a
 * forward declaration, which is mapped to any enum of its name.
 */
export function mapPrimitives(state: DedupState): void {
  const index = new WordIndex(state.table);
  const enums = new Enums(state);
  for (let id = 1; id < state.endTypeId; id++) {
    const kind = state.kind(id);
    const isEnum = kind === Kind.ENUM || kind === Kind.ENUM64;
    if (!hasEqualWords(kind)) continue;
    const isBase = id < state.firstTypeId;
    const equal = index.find(state.table.words, state.table.offset(id));
    if (equal === 0) index.add(id);
    if (isEnum) enums.map(id, equal, isBase);
    else if (!isBase) state.map(id, equal === 0 ? id : equal);
  }
}

/** Whether equal types of a kind have equal words. */
const hasEqualWords = kindTest(({ dedup }) => dedup === 'WORDS');

/** The canonical enums of each name. */
class Enums {
  readonly #state: DedupState;
  readonly #full = new Map<number, TypeId>();
  readonly #forward = new Map<number, TypeId>();

  constructor(state: DedupState) {
    this.#state = state;
  }

  map(id: TypeId, equal: TypeId, isBase: boolean): void {
    const state = this.#state;
    const name = state.word(id, 0);
    // Without a name, nothing says which enum is declared.
    const isForward = state.vlen(id) === 0 && name !== 0;
    if (!isForward) {
      if (!isBase) state.map(id, equal === 0 ? id : equal);
      const forward = this.#forward.get(name);
      if (forward !== undefined && !this.#full.has(name)) state.map(forward, id);
      if (!this.#full.has(name)) this.#full.set(name, id);
      return;
    }
    const canonical = this.#full.get(name) ?? this.#forward.get(name) ?? id;
    if (!isBase) state.map(id, canonical);
    if (canonical === id) this.#forward.set(name, id);
  }
}
