import { BtfFormatError } from '../format-error.js';
import type { Spec } from '../spec.js';
import type { Struct, Type, TypeId, Union } from '../types.js';
import { Alignments, alignmentsOf } from './alignments.js';
import { follow } from './follow.js';
import { type PointerSize, pointerSize } from './pointer-size.js';
import type { DataModel } from './sizeof.js';

/**
 * alignof is the alignment of a type in bytes. BTF does not say it; this is what libbpf's btf__align_of
 * infers: a scalar is aligned to its size, but to no more than a pointer; a struct or union as its member
 * with the largest alignment, or to 1 where an offset or the size shows that it is packed. A variable and
 * a declaration tag are aligned as their type.
 *
 * So `__int128` gives 8 on 64-bit machines, though their ABIs say 16, and attributes that raise alignment
 * do not show. What is found is kept with the spec, a byte for each type.
 *
 * @throws BtfFormatError `NOT_FOUND` when there is no such id; `INVALID_ARGUMENT` for what has no alignment:
 * void, a function, a forward declaration, a data section; `UNSUPPORTED` for a kind that is not known;
 * `MALFORMED` for a type that contains itself and for a reference to no type.
 */
export function alignof(spec: Spec, id: TypeId, model: DataModel = {}): number {
  const pointer = model.pointerSize ?? pointerSize(spec);
  const type = spec.typeById(id);
  const known = alignmentsOf(spec, pointer);
  const before = known.get(id);
  if (before === Alignments.NONE) throw noAlignment(type);
  if (before === Alignments.UNKNOWN) search(spec, type, known, pointer);
  return known.get(id);
}

interface Frame {
  readonly type: Type;
  /** The types whose alignment decides about that of `type`. */
  readonly parts: readonly TypeId[];
  next: number;
}

/** Finds the alignments of a type and of all that it consists of, without recursion. */
function search(spec: Spec, root: Type, known: Alignments, pointer: PointerSize): void {
  const stack: Frame[] = [];
  const enter = (type: Type): void => {
    known.set(type.id, Alignments.UNDER_WAY);
    stack.push({ type, parts: partsOf(type), next: 0 });
  };
  enter(root);
  try {
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const part = top.parts[top.next];
      if (part === undefined) {
        known.set(top.type.id, alignmentOf(top.type, known, pointer));
        stack.pop();
        continue;
      }
      const alignment = known.get(part);
      if (alignment === Alignments.UNDER_WAY) {
        throw new BtfFormatError('MALFORMED', 'type contains itself', { typeId: part });
      }
      if (alignment === Alignments.NONE) throw noAlignment(spec.typeById(part));
      if (alignment === Alignments.UNKNOWN) enter(follow(spec, top.type.id, part));
      else top.next += 1;
    }
  } catch (error) {
    // What contains a type without alignment has none either, and must not be searched each time it is asked for.
    for (const { type } of stack) known.set(type.id, Alignments.NONE);
    throw error;
  }
}

function partsOf(type: Type): TypeId[] {
  switch (type.kind) {
    case 'ARRAY':
    case 'TYPEDEF':
    case 'VOLATILE':
    case 'CONST':
    case 'RESTRICT':
    case 'TYPE_TAG':
    case 'VAR':
    case 'DECL_TAG':
      return [type.typeId];
    case 'STRUCT':
    case 'UNION':
      return type.members.map(({ typeId }) => typeId);
    default:
      return [];
  }
}

/** The alignment of a type when those of its parts are known. */
function alignmentOf(type: Type, known: Alignments, pointer: PointerSize): number {
  switch (type.kind) {
    case 'INT':
    case 'ENUM':
    case 'ENUM64':
    case 'FLOAT':
      if (type.size === 0) throw noAlignment(type);
      return Math.min(type.size, pointer);
    case 'PTR':
      return pointer;
    case 'ARRAY':
    case 'TYPEDEF':
    case 'VOLATILE':
    case 'CONST':
    case 'RESTRICT':
    case 'TYPE_TAG':
    case 'VAR':
    case 'DECL_TAG':
      return known.get(type.typeId);
    case 'STRUCT':
    case 'UNION':
      return alignmentOfComposite(type, known);
    default:
      throw noAlignment(type);
  }
}

function alignmentOfComposite({ size, members }: Struct | Union, known: Alignments): number {
  let largest = 1;
  for (const { typeId, bitOffset, bitfieldSize } of members) {
    const alignment = known.get(typeId);
    if (bitfieldSize === 0 && bitOffset % (8 * alignment) !== 0) return 1;
    largest = Math.max(largest, alignment);
  }
  return size % largest === 0 ? largest : 1;
}

function noAlignment(type: Type): BtfFormatError {
  if (type.kind === 'UNKNOWN') {
    const message = `the alignment of a type of kind ${type.kindNumber} is not known`;
    return new BtfFormatError('UNSUPPORTED', message, { typeId: type.id });
  }
  return new BtfFormatError('INVALID_ARGUMENT', `${type.kind} has no alignment`, { typeId: type.id });
}
