import { BtfFormatError, type BtfFormatErrorCode } from '../format-error.js';
import type { Spec } from '../spec.js';
import { KINDS, type Struct, type Type, type TypeId, type Union } from '../types.js';
import { Alignments, alignmentsOf } from './alignments.js';
import { describeType } from './describe-type.js';
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
  if (known.get(id) === Alignments.UNKNOWN) search(spec, type, known, pointer);
  const found = known.get(id);
  const failure = Alignments.failureIn(found);
  if (failure !== null) throw noAlignment(type, failure);
  return found;
}

interface Frame {
  readonly type: Type;
  /** The types whose alignment decides about that of `type`. */
  readonly parts: readonly TypeId[];
  next: number;
}

/** Finds the alignments of a type and of all that it consists of, or why there are none, without recursion. */
function search(spec: Spec, root: Type, known: Alignments, pointer: PointerSize): void {
  const stack: Frame[] = [];
  const enter = (type: Type): void => {
    known.set(type.id, Alignments.UNDER_WAY);
    stack.push({ type, parts: partsOf(type), next: 0 });
  };
  enter(root);
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const part = top.parts[top.next];
    const alignment = part === undefined ? alignmentOf(top.type, known, pointer) : ofPart(spec, part, known);
    if (alignment === Alignments.UNKNOWN && part !== undefined) {
      const type = decoded(spec, part, known);
      if (type !== null) enter(type);
    } else if (part === undefined || Alignments.failureIn(alignment) !== null) {
      // One part without alignment is enough: what consists of it has none either.
      known.set(top.type.id, alignment);
      stack.pop();
    } else {
      top.next += 1;
    }
  }
}

/** What is known of a part's alignment. One that is under way contains itself. */
function ofPart(spec: Spec, part: TypeId, known: Alignments): number {
  const alignment = part < spec.endTypeId ? known.get(part) : Alignments.UNDER_WAY;
  return alignment === Alignments.UNDER_WAY ? Alignments.failure('MALFORMED') : alignment;
}

function decoded(spec: Spec, id: TypeId, known: Alignments): Type | null {
  try {
    return spec.typeById(id);
  } catch (error) {
    if (!(error instanceof BtfFormatError)) throw error;
    known.set(id, Alignments.failure(error.code));
    return null;
  }
}

function partsOf(type: Type): TypeId[] {
  if ('members' in type) return type.members.map(({ typeId }) => typeId);
  return LIKE_TARGET.has(type.kind) && 'typeId' in type ? [type.typeId] : [];
}

/** The kinds of types that are aligned as the type that they refer to. */
const LIKE_TARGET: ReadonlySet<string> = new Set(
  Object.entries(KINDS).flatMap(([kind, { size }]) =>
    size === 'TARGET' || size === 'ELEMENTS' ? [kind] : [],
  ),
);

/** The alignment of a type when those of its parts are known. */
function alignmentOf(type: Type, known: Alignments, pointer: PointerSize): number {
  if ('members' in type) return alignmentOfComposite(type, known);
  if (LIKE_TARGET.has(type.kind) && 'typeId' in type) return known.get(type.typeId);
  switch (type.kind) {
    case 'INT':
    case 'ENUM':
    case 'ENUM64':
    case 'FLOAT':
      return type.size === 0 ? Alignments.failure('INVALID_ARGUMENT') : Math.min(type.size, pointer);
    case 'PTR':
      return pointer;
    case 'UNKNOWN':
      return Alignments.failure('UNSUPPORTED');
    default:
      return Alignments.failure('INVALID_ARGUMENT');
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

const REASONS = new Map<BtfFormatErrorCode, string>([
  ['UNSUPPORTED', ' that is known: its kind, or that of a part, is not'],
  ['MALFORMED', ': it contains itself, or a part that cannot be read'],
]);

function noAlignment(type: Type, code: BtfFormatErrorCode): BtfFormatError {
  const reason = REASONS.get(code) ?? '';
  return new BtfFormatError(code, `${describeType(type)} has no alignment${reason}`, { typeId: type.id });
}
