import { BtfFormatError } from '../../format-error.js';
import type { TypeId } from '../../types.js';
import type { TypeGraph } from './type-graph.js';

/** Marks a type that is not mapped yet. */
const UNMAPPED = -1;

/**
 * DedupState is shared by the passes of deduplication: the types, and the type that each is mapped to. A type that is
 * mapped to itself is canonical.
 */
export class DedupState {
  readonly graph: TypeGraph;
  /** The first id that may change. The types before it belong to a base and are canonical. */
  readonly firstTypeId: TypeId;
  /** The first id that is too large. */
  readonly endTypeId: TypeId;
  readonly #map: Int32Array;
  #steps: number;
  #merges = 0;

  /** @param steps the number of pairs of types to compare at most. */
  constructor(graph: TypeGraph, firstTypeId: TypeId, steps: number) {
    this.graph = graph;
    this.firstTypeId = firstTypeId;
    this.endTypeId = graph.endTypeId;
    this.#steps = steps;
    this.#map = new Int32Array(this.endTypeId).fill(UNMAPPED);
    for (let id = 0; id < firstTypeId; id++) this.#map[id] = id;
  }

  /** The number of times that a type was mapped to another one. */
  get merges(): number {
    return this.#merges;
  }

  isMapped(id: TypeId): boolean {
    return this.#map[id] !== UNMAPPED;
  }

  isCanonical(id: TypeId): boolean {
    return this.#map[id] === id;
  }

  /** map maps a type to a canonical one, or to itself. */
  map(id: TypeId, canonical: TypeId): void {
    if (id !== canonical) this.#merges += 1;
    this.#map[id] = canonical;
  }

  /** resolve returns the type that a type is mapped to in the end, as far as is known. */
  resolve(id: TypeId): TypeId {
    const map = this.#map;
    let at = id;
    for (let next = map[at] ?? UNMAPPED; next !== UNMAPPED && next !== at; next = map[at] ?? UNMAPPED)
      at = next;
    return at;
  }

  /** flatten maps each type directly to the one that it is mapped to in the end. It makes {@link resolve} faster. */
  flatten(): void {
    for (let id = 1; id < this.endTypeId; id++) if (this.isMapped(id)) this.#map[id] = this.resolve(id);
  }

  /**
   * step counts a comparison.
   *
   * @throws BtfFormatError `LIMIT_EXCEEDED` after the last one.
   */
  step(id: TypeId): void {
    this.#steps -= 1;
    if (this.#steps < 0) throw tooManySteps(id);
  }
}

function tooManySteps(typeId: TypeId): BtfFormatError {
  const message = 'too many similar types: comparing them exceeds maxComparisons';
  return new BtfFormatError('LIMIT_EXCEEDED', message, { typeId });
}
