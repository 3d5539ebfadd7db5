import { BtfFormatError } from '../format-error.js';
import { type PointerSize } from '../query/pointer-size.js';
import { resolveId } from '../query/resolve.js';
import { sizeOrTypeIdOf, type Spec } from '../spec.js';
import { Kind, type Struct, type TypeId, type Union } from '../types.js';

/** LayoutFacts are facts about a struct or union that its layout depends on, and that of the types which contain it. */
export interface LayoutFacts {
  /** Bytes: the widest scalar in it, as if it were not packed. */
  readonly naturalAlignment: number;
  /** Whether its last member is an array without elements. */
  readonly flexibleArray: boolean;
  /** Whether a struct in it, at any depth, has such a member. */
  readonly embeddedFlexibleArray: boolean;
}

/** The deepest nesting to follow. The kernel accepts 32 levels. */
const MAX_DEPTH = 512;

/** FactFinder finds the {@link LayoutFacts} of a spec's types, and keeps them. */
export class FactFinder {
  readonly #spec: Spec;
  readonly #pointerSize: PointerSize;
  /** The facts by type; null while they are searched for. */
  readonly #known = new Map<TypeId, LayoutFacts | null>();
  #typedefs: ReadonlyMap<TypeId, TypeId> | null = null;
  #depth = 0;

  constructor(spec: Spec, pointerSize: PointerSize) {
    this.#spec = spec;
    this.#pointerSize = pointerSize;
  }

  /**
   * of returns the facts of a STRUCT or UNION.
   *
   * @throws BtfFormatError `INVALID_ARGUMENT` for any other type.
   * @throws BtfFormatError `MALFORMED` for a type that contains itself.
   * @throws BtfFormatError `LIMIT_EXCEEDED` for more than 512 levels of types.
   */
  of(id: TypeId): LayoutFacts {
    const known = this.#known.get(id);
    if (known === null) throw new BtfFormatError('MALFORMED', 'the type contains itself', { typeId: id });
    if (known !== undefined) return known;
    const type = compositeOf(this.#spec, id);
    this.#known.set(id, null);
    try {
      const facts = this.#find(type);
      this.#known.set(id, facts);
      return facts;
    } catch (error) {
      // The next call must not find this search under way.
      this.#known.delete(id);
      throw error;
    }
  }

  #find(type: Struct | Union): LayoutFacts {
    return {
      naturalAlignment: this.#widest(type),
      flexibleArray: type.kind === 'STRUCT' && this.#hasFlexibleArray(type),
      embeddedFlexibleArray: type.kind === 'STRUCT' && this.#embedsFlexibleArray(type),
    };
  }

  /** naturalAlignment returns the alignment that a type has if nothing is packed; 1 for a type without a size. */
  naturalAlignment(id: TypeId): number {
    const at = resolveId(this.#spec, id);
    switch (this.#spec.kindOf(at)) {
      case Kind.PTR:
        return this.#pointerSize;
      case Kind.INT:
      case Kind.FLOAT:
      case Kind.ENUM:
      case Kind.ENUM64:
        return sizeOrTypeIdOf(this.#spec, at) || 1;
      case Kind.STRUCT:
      case Kind.UNION:
        return this.#within(at, () => this.of(at).naturalAlignment);
      case Kind.ARRAY: {
        const type = this.#spec.typeById(at);
        const element = type.kind === 'ARRAY' ? type.typeId : 0;
        return this.#within(at, () => this.naturalAlignment(element));
      }
      default:
        return 1;
    }
  }

  /** typedefOf returns the first typedef of an anonymous type; 0 if it has none. */
  typedefOf(id: TypeId): TypeId {
    this.#typedefs ??= firstTypedefs(this.#spec);
    return this.#typedefs.get(id) ?? 0;
  }

  #widest({ members }: Struct | Union): number {
    return members.reduce((widest, { typeId }) => Math.max(widest, this.naturalAlignment(typeId)), 1);
  }

  /** As in pahole, a typedef of an array does not count. */
  #hasFlexibleArray({ members }: Struct): boolean {
    const last = members.at(-1);
    if (last === undefined || this.#spec.kindOf(last.typeId) !== Kind.ARRAY) return false;
    const type = this.#spec.typeById(last.typeId);
    return type.kind === 'ARRAY' && type.nelems === 0;
  }

  #embedsFlexibleArray({ members }: Struct): boolean {
    return members.some(({ typeId }) => {
      const id = resolveId(this.#spec, typeId);
      if (this.#spec.kindOf(id) !== Kind.STRUCT) return false;
      const { flexibleArray, embeddedFlexibleArray } = this.#within(id, () => this.of(id));
      return flexibleArray || embeddedFlexibleArray;
    });
  }

  /** Follows a type one level down. */
  #within<T>(id: TypeId, follow: () => T): T {
    if (this.#depth >= MAX_DEPTH) {
      const message = `types nest deeper than ${MAX_DEPTH} levels`;
      throw new BtfFormatError('LIMIT_EXCEEDED', message, { typeId: id });
    }
    this.#depth += 1;
    try {
      return follow();
    } finally {
      this.#depth -= 1;
    }
  }
}

/**
 * compositeOf returns a STRUCT or UNION.
 *
 * @throws BtfFormatError `INVALID_ARGUMENT` for any other type.
 */
export function compositeOf(spec: Spec, id: TypeId): Struct | Union {
  const type = spec.typeById(id);
  if (type.kind === 'STRUCT' || type.kind === 'UNION') return type;
  throw new BtfFormatError('INVALID_ARGUMENT', `a ${type.kind} has no layout`, { typeId: id });
}

/** Finds the first typedef of each type that has one. */
function firstTypedefs(spec: Spec): Map<TypeId, TypeId> {
  const typedefs = new Map<TypeId, TypeId>();
  for (let id = 1; id < spec.endTypeId; id++) {
    if (spec.kindOf(id) !== Kind.TYPEDEF) continue;
    const target = sizeOrTypeIdOf(spec, id);
    if (!typedefs.has(target)) typedefs.set(target, id);
  }
  return typedefs;
}

const kept = { 4: new WeakMap<Spec, FactFinder>(), 8: new WeakMap<Spec, FactFinder>() };

/** factsOf returns the FactFinder of a spec, which is made once for each size of a pointer. */
export function factsOf(spec: Spec, pointerSize: PointerSize): FactFinder {
  let facts = kept[pointerSize].get(spec);
  if (facts === undefined) {
    facts = new FactFinder(spec, pointerSize);
    kept[pointerSize].set(spec, facts);
  }
  return facts;
}
