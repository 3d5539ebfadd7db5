import { TypeReader } from '../decode/type-reader.js';
import { HEAD_WORDS, isComposite } from '../kind-words.js';
import type { Spec } from '../spec.js';
import { Kind, type TypeId } from '../types.js';
import { type ValueType, ValueTypes } from './value-types.js';

const MEMBER_WORDS = 3;

/** Holders finds the name under which a struct or union is reported. */
export class Holders {
  readonly #reader: TypeReader;
  /** The first typedef of each struct or union without a name. */
  readonly #typedefs = new Map<TypeId, TypeId>();
  /** The structs and unions without a name that are parts of others. */
  readonly #inner = new Set<TypeId>();

  /** @param firstId the first id of the types that are searched. */
  constructor(spec: Spec, firstId: TypeId) {
    this.#reader = new TypeReader(spec);
    const values = new ValueTypes(spec, false);
    const reader = new TypeReader(spec);
    for (let id = Math.max(1, firstId); id < spec.endTypeId; id++) {
      reader.open(id);
      if (reader.kind === Kind.TYPEDEF) {
        const value = this.#anonymous(values, reader.u32(2));
        // The members of an array's elements are not members of the array.
        if (value?.arrays === 0 && !this.#typedefs.has(value.typeId)) this.#typedefs.set(value.typeId, id);
      } else if (isComposite(reader.kind)) {
        const end = HEAD_WORDS + MEMBER_WORDS * reader.vlen;
        for (let word = HEAD_WORDS; word < end; word += MEMBER_WORDS) {
          const value = this.#anonymous(values, reader.u32(word + 1));
          if (value !== null) this.#inner.add(value.typeId);
        }
      }
    }
  }

  /**
   * of returns the type under which a struct or union is reported: itself if it has a name, or if it is part of no other and has
   * no typedef; otherwise its typedef. It returns null for one without a name that is part of another.
   */
  of(id: TypeId): TypeId | null {
    this.#reader.open(id);
    if (this.#reader.u32(0) !== 0) return id;
    return this.#typedefs.get(id) ?? (this.#inner.has(id) ? null : id);
  }

  #anonymous(values: ValueTypes, id: TypeId): ValueType | null {
    const value = values.of(id);
    if (value === null) return null;
    this.#reader.open(value.typeId);
    return this.#reader.u32(0) === 0 ? value : null;
  }
}
