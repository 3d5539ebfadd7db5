import { TypeReader } from '../decode/type-reader.js';
import { isComposite } from '../kind-words.js';
import { standsForOther } from '../query/resolve.js';
import type { Spec } from '../spec.js';
import { Kind, type TypeId } from '../types.js';

/** ValueType is the struct or union that a value of a type consists of. */
export interface ValueType {
  readonly typeId: TypeId;
  /** Number of arrays around it. */
  readonly arrays: number;
}

/** The word of an ARRAY that has the type of its elements. */
const ELEMENT_WORD = 3;

/** ValueTypes finds the structs and unions that are parts of other types. */
export class ValueTypes {
  readonly #reader: TypeReader;
  readonly #endTypeId: TypeId;
  readonly #typedefs: boolean;
  readonly #known = new Map<TypeId, ValueType | null>();

  /** @param typedefs whether typedefs are followed too. */
  constructor(spec: Spec, typedefs: boolean) {
    this.#reader = new TypeReader(spec);
    this.#endTypeId = spec.endTypeId;
    this.#typedefs = typedefs;
  }

  /**
   * of returns the struct or union that a type is, or an array of, through qualifiers and type tags; null if there is none. A
   * loop and a reference to a type that does not exist lead to none.
   */
  of(id: TypeId): ValueType | null {
    const passed: { readonly id: TypeId; readonly isArray: boolean }[] = [];
    let at = id;
    let known: ValueType | null | undefined;
    for (;;) {
      known = at === 0 || at >= this.#endTypeId ? null : this.#known.get(at);
      if (known !== undefined) break;
      this.#reader.open(at);
      const { kind } = this.#reader;
      if (isComposite(kind)) {
        known = { typeId: at, arrays: 0 };
        break;
      }
      // In a loop, this type is met again.
      this.#known.set(at, null);
      const isArray = kind === Kind.ARRAY;
      if (!isArray && !(standsForOther(kind) && (this.#typedefs || kind !== Kind.TYPEDEF))) return null;
      passed.push({ id: at, isArray });
      at = this.#reader.u32(isArray ? ELEMENT_WORD : 2);
    }
    for (const { id: passedId, isArray } of passed.toReversed()) {
      if (known !== null && isArray) known = { typeId: known.typeId, arrays: known.arrays + 1 };
      this.#known.set(passedId, known);
    }
    return known;
  }
}
