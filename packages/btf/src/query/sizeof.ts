import { BtfFormatError } from '../format-error.js';
import { sizeOrTypeIdOf, type Spec } from '../spec.js';
import type { Type, TypeId } from '../types.js';
import { Chain, followed } from './follow.js';
import { type PointerSize, pointerSize } from './pointer-size.js';
import { kindTest } from '../kind-words.js';

/** DataModel describes the machine that the types are for, where BTF does not. */
export interface DataModel {
  /** Bytes of a pointer. Default: the result of {@link pointerSize}. */
  readonly pointerSize?: PointerSize;
}

/**
 * sizeof returns the size of a type in bytes, as C's operator does. A variable and a declaration tag have the size of
 * their type, and a data section has its own. An array without elements has size 0. Modelled on `btf.Sizeof` of
 * cilium/ebpf.
 *
 * @throws BtfLookupError `NOT_FOUND` if there is no such id.
 * @throws BtfFormatError `INVALID_ARGUMENT` if the type has no size: void, a function, a forward declaration.
 * @throws BtfFormatError `UNSUPPORTED` for an unknown kind.
 * @throws BtfFormatError `LIMIT_EXCEEDED` if the size is 2^53 or more, or after 1024 links of a chain of types.
 * @throws BtfFormatError `MALFORMED` for a loop, for a reference to a type that does not exist, and for a name outside
 * the string section.
 */
export function sizeof(spec: Spec, id: TypeId, model: DataModel = {}): number {
  const chain = new Chain(id);
  let count = 1;
  let at = id;
  for (;;) {
    const kind = spec.kindOf(at);
    // Not decoded, because the size of a type with a million members may be needed for a million other types.
    if (isSized(kind)) return product(count, sizeOrTypeIdOf(spec, at), id);
    const type = spec.typeById(at);
    if (!isSizedByTarget(kind) || !('typeId' in type))
      return product(count, ownSize(spec, type, id, model), id);
    if (type.kind === 'ARRAY') count *= type.nelems;
    chain.pass(type.typeId);
    at = followed(spec, at, type.typeId);
  }
}

/** Whether types of a kind state their size. */
const isSized = kindTest(({ size }) => size === 'OWN');

/** Whether the size of types of a kind depends on the type that they refer to. */
const isSizedByTarget = kindTest(({ size }) => size === 'TARGET' || size === 'ELEMENTS');

function ownSize(spec: Spec, type: Type, id: TypeId, model: DataModel): number {
  switch (type.kind) {
    case 'PTR':
      return model.pointerSize ?? pointerSize(spec);
    case 'UNKNOWN': {
      const message = `type of unknown kind ${type.kindNumber}: its size is not known`;
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
  // Infinity times 0: one of the counts, or the element, is 0.
  if (Number.isNaN(size)) return 0;
  throw new BtfFormatError('LIMIT_EXCEEDED', 'the size of the type is 2^53 bytes or more', { typeId: id });
}
