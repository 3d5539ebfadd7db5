import { Builder } from '../build/builder.js';
import type { NewType } from '../build/field-checks.js';
import type { Rebuilt } from '../build/write-btf.js';
import { resolveId } from '../query/resolve.js';
import type { Spec } from '../spec.js';
import type { TypeId } from '../types.js';

/** KeptType is what is kept of a type. */
export interface KeptType {
  /** The indexes of the members or values that are kept. */
  readonly elements: Set<number>;
  /** Whether the type that a pointer leads to is kept. Otherwise the pointer becomes a `void *`. */
  hasReferent: boolean;
}

/**
 * KeptTypes collects the types of a kernel that relocations need, and the members and values of these types. It writes
 * them without typedefs and qualifiers between them, which loaders skip.
 */
export class KeptTypes {
  readonly #spec: Spec;
  readonly #types = new Map<TypeId, KeptType>();

  constructor(spec: Spec) {
    this.#spec = spec;
  }

  /** add keeps a type, without members, values and referent. Returns what is kept of it, to be extended. */
  add(id: TypeId): KeptType {
    const known = this.#types.get(id);
    if (known !== undefined) return known;
    const kept = { elements: new Set<number>(), hasReferent: false };
    this.#types.set(id, kept);
    return kept;
  }

  /**
   * write writes the kept types as BTF, in the order of their ids.
   *
   * @throws BtfFormatError for types with invalid names.
   * @throws BtfBuildError as `Builder.marshal` does.
   */
  write(): Rebuilt {
    const builder = new Builder({ deduplicate: false });
    const ids = new Int32Array(this.#spec.endTypeId);
    const kept = [...this.#types].toSorted(([a], [b]) => a - b).map(([id, part]) => ({ id, part }));
    // All pointers without a referent are one.
    let pointer = 0;
    for (const { id, part } of kept) {
      const isPlainPointer = !part.hasReferent && this.#spec.typeById(id).kind === 'PTR';
      ids[id] = isPlainPointer && pointer !== 0 ? pointer : builder.reserve();
      if (isPlainPointer) pointer = ids[id];
    }
    const written = new Set<TypeId>();
    for (const { id, part } of kept) {
      const newId = ids[id] ?? 0;
      if (written.has(newId)) continue;
      written.add(newId);
      builder.define(newId, this.#cut(id, part, ids));
    }
    return { bytes: builder.marshal({ byteOrder: this.#spec.byteOrder, wideVlen: true }), ids };
  }

  /** Returns a type with what is kept of it, and with new ids. */
  #cut(id: TypeId, { elements, hasReferent }: KeptType, ids: Int32Array): NewType {
    const type = this.#spec.typeById(id);
    const idOf = (old: TypeId): TypeId => ids[resolveId(this.#spec, old)] ?? 0;
    switch (type.kind) {
      case 'STRUCT':
      case 'UNION': {
        const members = type.members
          .filter((_, i) => elements.has(i))
          .map(({ name, typeId, bitOffset, bitfieldSize }) => ({
            name,
            typeId: idOf(typeId),
            bitOffset,
            bitfieldSize,
          }));
        return { ...type, members };
      }
      case 'ENUM':
        return { ...type, values: type.values.filter((_, i) => elements.has(i)) };
      case 'ENUM64':
        return { ...type, values: type.values.filter((_, i) => elements.has(i)) };
      case 'PTR':
        return { ...type, typeId: hasReferent ? idOf(type.typeId) : 0 };
      case 'ARRAY':
        return { ...type, typeId: idOf(type.typeId), indexTypeId: idOf(type.indexTypeId) };
      case 'TYPEDEF':
      case 'TYPE_TAG':
        return { ...type, typeId: idOf(type.typeId) };
      case 'FUNC_PROTO': {
        const params = type.params.map(({ name, typeId }) => ({ name, typeId: idOf(typeId) }));
        return { ...type, returnTypeId: idOf(type.returnTypeId), params };
      }
      default:
        return type;
    }
  }
}
