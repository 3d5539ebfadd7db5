import { kindTest } from '../../kind-words.js';
import type { TypeId } from '../../types.js';
import type { DedupState } from './dedup-state.js';

/**
 * mapPrimitives maps equal INTs, FLOATs, FWDs, ENUMs and ENUM64s to the first of them. They refer to no types, so those
 * of one shape are equal. An `enum` without values is a forward declaration, which is mapped to any enum of its name.
 */
export function mapPrimitives(state: DedupState): void {
  const { graph } = state;
  const enums = new Enums(state);
  for (let id = 1; id < state.endTypeId; id++) {
    if (!hasEqualWords(graph.kinds[id] ?? 0)) continue;
    const first = graph.shapes[id] ?? 0;
    const isBase = id < state.firstTypeId;
    if (graph.isEnum(id)) enums.map(id, first, isBase);
    else if (!isBase) state.map(id, first);
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

  /** @param first the first enum with the same words. */
  map(id: TypeId, first: TypeId, isBase: boolean): void {
    const state = this.#state;
    const name = state.graph.names[id] ?? 0;
    // Without a name, nothing says which enum is declared.
    const isForward = state.graph.vlen(id) === 0 && name !== 0;
    if (!isForward) {
      if (!isBase) state.map(id, first);
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
