import type { Spec } from '../spec.js';
import type { TypeId } from '../types.js';
import type { PointerSize } from './pointer-size.js';

/** Alignments keeps the alignments of a spec's types once they are found, a byte for each type. */
export class Alignments {
  /** What `get` gives for a type whose alignment was not looked for yet. */
  static readonly UNKNOWN = 0;
  /** What `get` gives for a type whose alignment is being looked for. */
  static readonly UNDER_WAY = 254;
  /** What `get` gives for a type that has no alignment. */
  static readonly NONE = 255;

  readonly #base: Alignments | null;
  readonly #firstTypeId: TypeId;
  readonly #own: Uint8Array;

  constructor(spec: Spec, base: Alignments | null) {
    this.#base = base;
    this.#firstTypeId = spec.firstTypeId;
    this.#own = new Uint8Array(spec.typeCount);
  }

  get(id: TypeId): number {
    if (id >= this.#firstTypeId) return this.#own[id - this.#firstTypeId] ?? Alignments.UNKNOWN;
    return this.#base === null ? Alignments.NONE : this.#base.get(id);
  }

  set(id: TypeId, alignment: number): void {
    if (id >= this.#firstTypeId) this.#own[id - this.#firstTypeId] = alignment;
    else this.#base?.set(id, alignment);
  }
}

const kept = { 4: new WeakMap<Spec, Alignments>(), 8: new WeakMap<Spec, Alignments>() };

/** alignmentsOf gives what is kept for a spec and a size of pointers. Split specs share that of their base. */
export function alignmentsOf(spec: Spec, pointer: PointerSize): Alignments {
  let alignments = kept[pointer].get(spec);
  if (alignments === undefined) {
    const base = spec.base === null ? null : alignmentsOf(spec.base, pointer);
    alignments = new Alignments(spec, base);
    kept[pointer].set(spec, alignments);
  }
  return alignments;
}
