import { BtfFormatError } from '../format-error.js';
import { sizeOrTypeIdOf, type Spec } from '../spec.js';
import { Kind, type Type, type TypeId } from '../types.js';
import { Chain, followed } from './follow.js';
import { type PointerSize, pointerSize } from './pointer-size.js';

/** DataModel says what BTF leaves open about the machine that the types are for. */
export interface DataModel {
  /** Bytes of a pointer. Default: what {@link pointerSize} finds. */
  readonly pointerSize?: PointerSize;
}

/**
 * sizeof is the size of a type in bytes, as C's operator gives it. A variable and a declaration tag have the
 * size of their type, a data section has its own; an array without elements has none (0).
 *
 * @throws BtfFormatError `NOT_FOUND` when there is no such id; `INVALID_ARGUMENT` for what has no size: void,
 * a function, a forward declaration; `UNSUPPORTED` for a kind that is not known; `LIMIT_EXCEEDED` when it is
 * 2^53 or more; `MALFORMED` and `LIMIT_EXCEEDED` as `resolve` does.
 */
export function sizeof(spec: Spec, id: TypeId, model: DataModel = {}): number {
  const chain = new Chain(id);
  let count = 1;
  let at = id;
  for (;;) {
    // Not decoded: a million types may ask for the size of one that has a million members.
    if (SIZED.has(spec.kindOf(at))) return product(count, sizeOrTypeIdOf(spec, at), id);
    const type = spec.typeById(at);
    const next = refersTo(type);
    if (next === null) return product(count, ownSize(spec, type, id, model), id);
    if (type.kind === 'ARRAY') count *= type.nelems;
    chain.pass(next);
    at = followed(spec, at, next);
  }
}

/** The kinds of types that say their size. */
const SIZED: ReadonlySet<number> = new Set([
  Kind.INT,
  Kind.STRUCT,
  Kind.UNION,
  Kind.ENUM,
  Kind.ENUM64,
  Kind.FLOAT,
  Kind.DATASEC,
]);

/** The type that decides about the size; null where the type does itself. */
function refersTo(type: Type): TypeId | null {
  switch (type.kind) {
    case 'ARRAY':
    case 'TYPEDEF':
    case 'VOLATILE':
    case 'CONST':
    case 'RESTRICT':
    case 'TYPE_TAG':
    case 'VAR':
    case 'DECL_TAG':
      return type.typeId;
    default:
      return null;
  }
}

function ownSize(spec: Spec, type: Type, id: TypeId, model: DataModel): number {
  switch (type.kind) {
    case 'PTR':
      return model.pointerSize ?? pointerSize(spec);
    case 'UNKNOWN': {
      const message = `the size of a type of kind ${type.kindNumber} is not known`;
      throw new BtfFormatError('UNSUPPORTED', message, { typeId: type.id });
    }
    default: {
      const what = type.id === id ? '' : `, type id ${type.id},`;
      const message = `${type.kind}${what} has no size`;
      throw new BtfFormatError('INVALID_ARGUMENT', message, { typeId: id });
    }
  }
}

function product(count: number, each: number, id: TypeId): number {
  const size = count * each;
  if (size <= Number.MAX_SAFE_INTEGER) return size;
  // Infinity times 0: one of the counts, or the element, is empty.
  if (Number.isNaN(size)) return 0;
  throw new BtfFormatError('LIMIT_EXCEEDED', 'the size of the type is 2^53 bytes or more', { typeId: id });
}
