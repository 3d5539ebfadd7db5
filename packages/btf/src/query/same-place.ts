import { sizeOrTypeIdOf, type Spec } from '../spec.js';
import { Kind, type TypeId } from '../types.js';
import type { ResolvedMember, ResolveOptions } from './member-place.js';

/** Maximum number of types to compare. More are different: a declaration of that length names no member of a kernel. */
const MAX_COMPARED = 1024;

/** Characters of a name that take as long as the rest of a comparison. */
const NAME_PART = 64;

/**
 * isSamePlace reports whether two results of one path, through different types of one name, say the same to a program that
 * reads memory: equal offsets, sizes and pointers to read, and a type with the same name in C.
 */
export function isSamePlace(
  spec: Spec,
  a: ResolvedMember,
  b: ResolvedMember,
  { onLooks }: Pick<ResolveOptions, 'onLooks'>,
): boolean {
  return (
    a.bitOffset === b.bitOffset &&
    a.bitSize === b.bitSize &&
    a.bitfield === b.bitfield &&
    a.dereferences.length === b.dereferences.length &&
    a.dereferences.every(({ bitOffset, tags }, i) => {
      const other = b.dereferences[i];
      return bitOffset === other?.bitOffset && tags.join('\0') === other.tags.join('\0');
    }) &&
    new TypeComparison(spec, onLooks).isSame(a.typeId, b.typeId)
  );
}

/** TypeComparison compares types as C writes their names. Contents of structs are not compared, as in C. */
class TypeComparison {
  readonly #spec: Spec;
  readonly #onLooks: ResolveOptions['onLooks'];
  #compared = 0;

  constructor(spec: Spec, onLooks: ResolveOptions['onLooks']) {
    this.#spec = spec;
    this.#onLooks = onLooks;
  }

  isSame(first: TypeId, second: TypeId): boolean {
    let [a, b] = [first, second];
    while (a !== b) {
      this.#compared += 1;
      if (this.#compared > MAX_COMPARED) return false;
      const kind = this.#spec.kindOf(a);
      const name = this.#spec.nameOf(a);
      this.#onLooks?.(1 + Math.ceil(name.length / NAME_PART));
      if (this.#keyword(a) !== this.#keyword(b) || name !== this.#spec.nameOf(b)) return false;
      if (name !== '' && kind !== Kind.TYPE_TAG) return true;
      switch (kind) {
        case Kind.STRUCT:
        case Kind.UNION:
        case Kind.ENUM:
        case Kind.ENUM64:
          return sizeOrTypeIdOf(this.#spec, a) === sizeOrTypeIdOf(this.#spec, b);
        case Kind.ARRAY:
          [a, b] = this.#elements(a, b);
          break;
        case Kind.FUNC_PROTO:
          return this.#isSameFunction(a, b);
        default:
          [a, b] = [sizeOrTypeIdOf(this.#spec, a), sizeOrTypeIdOf(this.#spec, b)];
      }
    }
    return true;
  }

  /** A declared struct has the name of a defined one. */
  #keyword(id: TypeId): number {
    const kind = this.#spec.kindOf(id);
    if (kind !== Kind.FWD) return kind;
    const type = this.#spec.typeById(id);
    return type.kind === 'FWD' && type.union ? Kind.UNION : Kind.STRUCT;
  }

  /** Returns the types of the elements of two arrays; two different types if the arrays differ in length. */
  #elements(a: TypeId, b: TypeId): [TypeId, TypeId] {
    const [first, second] = [this.#spec.typeById(a), this.#spec.typeById(b)];
    if (first.kind !== 'ARRAY' || second.kind !== 'ARRAY') return [a, b];
    return first.nelems === second.nelems ? [first.typeId, second.typeId] : [0, a];
  }

  #isSameFunction(a: TypeId, b: TypeId): boolean {
    const [first, second] = [this.#spec.typeById(a), this.#spec.typeById(b)];
    if (first.kind !== 'FUNC_PROTO' || second.kind !== 'FUNC_PROTO') return false;
    this.#onLooks?.(first.params.length + second.params.length);
    return (
      first.params.length === second.params.length &&
      this.isSame(first.returnTypeId, second.returnTypeId) &&
      first.params.every(({ typeId }, i) => this.isSame(typeId, second.params[i]?.typeId ?? 0))
    );
  }
}
