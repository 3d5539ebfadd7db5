import type { PointerSize } from '../query/pointer-size.js';
import { resolveId } from '../query/resolve.js';
import type { Spec } from '../spec.js';
import { Kind, type Struct, type TypeId, type Union } from '../types.js';
import { type FactFinder, factsOf } from './layout-facts.js';
import type { Places } from './layout-places.js';

/**
 * PackedTypes infers which structs are packed, by the rules of pahole 1.32. A struct may have to be packed because of the
 * place that another type gives it, so the types that contain it are visited first.
 */
export class PackedTypes {
  readonly #spec: Spec;
  readonly #facts: FactFinder;
  readonly #packed = new Map<TypeId, boolean>();
  readonly #visitedUnions = new Set<TypeId>();

  constructor(spec: Spec, pointerSize: PointerSize) {
    this.#spec = spec;
    this.#facts = factsOf(spec, pointerSize);
  }

  /** has reports whether a struct that was visited, or that a visited type contains, is packed. */
  has(id: TypeId): boolean {
    return this.#packed.get(id) === true;
  }

  /**
   * visit infers whether a struct is packed. From its holes, or from the size of a union, it infers which of the members
   * are packed.
   */
  visit(type: Struct | Union, places: Places): void {
    if (type.kind === 'UNION') this.#visitUnion(type);
    else if (!this.#packed.has(type.id)) this.#visitStruct(type, places);
  }

  #visitStruct({ id, size }: Struct, { members, padding }: Places): void {
    const isLoose = (padding?.bytes ?? 0) > 0 || members.some(({ gap }) => gap !== null && gap.bytes > 0);
    if (isLoose) {
      // Holes are not packed away, but members can lie where only packed structs do.
      this.#packed.set(id, false);
      for (const { typeId, offset } of members) this.#packIfUnaligned(typeId, offset);
      return;
    }
    let widest = 1;
    for (const { typeId, offset } of members) {
      const alignment = this.#facts.naturalAlignment(typeId);
      if (offset % alignment !== 0) {
        this.#packed.set(id, true);
        return;
      }
      widest = Math.max(widest, alignment);
    }
    this.#packed.set(id, size % widest !== 0);
  }

  /** In an array of a union, its size is the offset of its members. */
  #visitUnion({ id, size, members }: Union): void {
    if (this.#visitedUnions.has(id)) return;
    this.#visitedUnions.add(id);
    for (const { typeId } of members) this.#packIfUnaligned(typeId, size);
  }

  #packIfUnaligned(typeId: TypeId, offset: number): void {
    const id = resolveId(this.#spec, typeId);
    if (this.#spec.kindOf(id) !== Kind.STRUCT) return;
    if (offset % this.#facts.naturalAlignment(id) !== 0) this.#packed.set(id, true);
  }
}
