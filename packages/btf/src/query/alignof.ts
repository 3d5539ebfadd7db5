import { BtfFormatError, BtfReadError, type BtfFormatErrorCode } from '../format-error.js';
import type { Spec } from '../spec.js';
import { KINDS, type Struct, type Type, type TypeId, type Union } from '../types.js';
import { Alignments, alignmentsOf } from './alignments.js';
import { describeType } from './resolve.js';
import { type PointerSize, pointerSize } from './pointer-size.js';
import type { DataModel } from './sizeof.js';

/**
 * alignof returns the alignment of a type in bytes. BTF does not record it. This is the alignment that libbpf's
 * `btf__align_of` infers. A scalar is aligned to its size, but at most to the size of a pointer. A struct or union is
 * aligned as the member with the largest alignment, or to 1 if an offset or its size shows that it is packed. A
 * variable and a declaration tag are aligned as their type.
 *
 * So `__int128` gives 8 on 64-bit machines, though their ABIs say 16, and attributes that raise the alignment do not
 * show. The result is kept with the spec, in a byte for each type.
 *
 * @throws BtfLookupError `NOT_FOUND` if there is no such id.
 * @throws BtfFormatError `INVALID_ARGUMENT` if the type has no alignment: void, a function, a forward declaration, a
 * data section.
 * @throws BtfFormatError `UNSUPPORTED` if its kind, or that of a part, is not known.
 * @throws BtfFormatError `MALFORMED` if the type contains itself, or a part of it cannot be read.
 * @throws BtfFormatError `LIMIT_EXCEEDED` if the names of a part are too long.
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
  /** The types whose alignment decides the alignment of `type`. */
  readonly parts: readonly TypeId[];
  next: number;
}

/** Finds the alignments of a type and of all its parts, or the reason why there are none, without recursion. */
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
      // One part without alignment is enough: the type that consists of it has none either.
      known.set(top.type.id, alignment);
      stack.pop();
    } else {
      top.next += 1;
    }
  }
}

/** The known alignment of a part. A part whose search is not over contains itself. */
function ofPart(spec: Spec, part: TypeId, known: Alignments): number {
  const alignment = part < spec.endTypeId ? known.get(part) : Alignments.UNDER_WAY;
  return alignment === Alignments.UNDER_WAY ? Alignments.failure('MALFORMED') : alignment;
}

function decoded(spec: Spec, id: TypeId, known: Alignments): Type | null {
  try {
    return spec.typeById(id);
  } catch (error) {
    if (!(error instanceof BtfReadError)) throw error;
    known.set(id, Alignments.failure(error.code));
    return null;
  }
}

function partsOf(type: Type): TypeId[] {
  if ('members' in type) return type.members.map(({ typeId }) => typeId);
  return LIKE_TARGET.has(type.kind) && 'typeId' in type ? [type.typeId] : [];
}

/** The kinds of types that are aligned as the type that they refer to. */
const LIKE_TARGET: ReadonlySet<string> = /* @__PURE__ */ new Set(
  Object.entries(KINDS).flatMap(([kind, { size }]) =>
    size === 'TARGET' || size === 'ELEMENTS' ? [kind] : [],
  ),
);

/** The alignment of a type whose parts have known alignments. */
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
  ['UNSUPPORTED', ': its kind, or that of a part, is not known'],
  ['MALFORMED', ': it contains itself, or a part of it cannot be read'],
]);

function noAlignment(type: Type, code: BtfFormatErrorCode): BtfFormatError {
  const reason = REASONS.get(code) ?? '';
  return new BtfFormatError(code, `${describeType(type)} has no alignment${reason}`, { typeId: type.id });
}
