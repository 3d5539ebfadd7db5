import type { RelocationKind } from '../ext/records.js';
import type { ByteOrder } from '../header.js';
import { IntEncoding, Kind, type TypeId } from '../types.js';
import type { CorePath } from './access.js';
import { type CoreTypes, isEnum } from './core-types.js';
import { refusal } from './refusal.js';
import type { LoaderRules } from './rules/loader-rules.js';

/** FieldValue is what a relocation makes of a member or an element. */
export interface FieldValue {
  readonly value: bigint;
  /** For the offset of a member that is not a bitfield: its size, which loads and stores depend on. Otherwise 0. */
  readonly size: number;
  /** Whether an instruction must have the local value. */
  readonly isChecked: boolean;
}

/** The member or element at the end of a path. */
export interface Field {
  readonly types: CoreTypes;
  readonly typeId: TypeId;
  /** Bits from the start of the root; and for a member, to the struct that its offset counts from. */
  readonly bitOffset: number;
  readonly baseOffset: number;
  readonly bitfieldSize: number;
  readonly isMember: boolean;
}

const LARGEST_WORD = 8;

/** Arrays of arrays. Compilers and kernels stay far below it. */
const MAX_ARRAYS = 1024;

/** fieldAt returns the member or element at the end of a path. */
export function fieldAt(
  { types, accessors, bitOffset, baseOffset, anonymousId }: CorePath,
  { bitfieldWord }: LoaderRules,
): Field {
  const last = accessors.at(-1);
  if (anonymousId !== null && bitfieldWord === 'OF_TYPE') {
    return { types, typeId: anonymousId, bitOffset, baseOffset, bitfieldSize: 0, isMember: false };
  }
  if (last === undefined) throw refusal('the access has no index');
  if (last.name === null) {
    return { types, typeId: last.typeId, bitOffset, baseOffset, bitfieldSize: 0, isMember: false };
  }
  const { typeId, bitfieldSize } = types.memberOf(last.typeId, last.index);
  return { types, typeId: types.skip(typeId), bitOffset, baseOffset, bitfieldSize, isMember: true };
}

/**
 * fieldValue returns the value of a relocation about a member or an element, as libbpf computes it.
 *
 * @param order the byte order of the target.
 * @throws a refusal for a bitfield that no word of 8 bytes holds, and for a field whose size is not known.
 */
export function fieldValue(kind: RelocationKind, field: Field, order: ByteOrder): FieldValue {
  const { types, typeId, bitOffset, bitfieldSize, isMember } = field;
  if (!isMember) return elementValue(kind, field);
  const isBitfield = bitfieldSize > 0;
  const size = isBitfield ? wordOf(field) : types.sizeOf(typeId);
  const start = isBitfield ? startOf(bitOffset, size) : Math.floor(bitOffset / 8);
  const bits = isBitfield ? bitfieldSize : size * 8;
  const result = (value: number, isChecked = !isBitfield): FieldValue => ({
    value: BigInt(value >>> 0),
    size: 0,
    isChecked,
  });
  switch (kind) {
    case 'FIELD_BYTE_OFFSET':
      return { ...result(start), size: isBitfield ? 0 : accessedSize(types, typeId) };
    case 'FIELD_BYTE_SIZE':
      return result(size);
    case 'FIELD_SIGNED':
      return result(isSigned(types, typeId) ? 1 : 0, true);
    case 'FIELD_LSHIFT_U64':
      return result(
        order === 'little' ? 64 - (bitOffset + bits - start * 8) : (8 - size) * 8 + (bitOffset - start * 8),
      );
    case 'FIELD_RSHIFT_U64':
      return result(64 - bits, true);
    default:
      return result(1, true);
  }
}

function elementValue(kind: RelocationKind, { types, typeId, bitOffset }: Field): FieldValue {
  if (kind === 'FIELD_EXISTS') return { value: 1n, size: 0, isChecked: true };
  if (kind !== 'FIELD_BYTE_OFFSET' && kind !== 'FIELD_BYTE_SIZE') {
    throw refusal('only offset and size of an element of an array can be relocated');
  }
  const size = types.sizeOf(typeId);
  if (kind === 'FIELD_BYTE_SIZE') return { value: BigInt(size), size: 0, isChecked: true };
  return {
    value: BigInt(Math.floor(bitOffset / 8)),
    size: accessedSize(types, typeId),
    isChecked: true,
  };
}

/** The bytes that a load or store accesses: those of an element, not of the whole array. */
function accessedSize(types: CoreTypes, id: TypeId): number {
  return types.sizeOf(elementOf(types, id));
}

function elementOf(types: CoreTypes, id: TypeId): TypeId {
  let element = id;
  for (let arrays = 0; types.kindOf(element) === Kind.ARRAY; arrays++) {
    if (arrays === MAX_ARRAYS)
      throw refusal(`type id ${id} is more than ${MAX_ARRAYS} arrays within each other`);
    element = types.skip(types.arrayOf(element).typeId);
  }
  return element;
}

/** The smallest word that holds all of a bitfield, at least as large as the type of the member. */
function wordOf({ types, typeId, bitOffset, bitfieldSize }: Field): number {
  let size = types.thirdOf(typeId);
  if (size === 0) throw refusal('the bitfield is of a type without a size');
  while (bitOffset + bitfieldSize - startOf(bitOffset, size) * 8 > size * 8) {
    if (size >= LARGEST_WORD) throw refusal(`no word of ${LARGEST_WORD} bytes holds the bitfield`);
    size *= 2;
  }
  return size;
}

function startOf(bitOffset: number, size: number): number {
  return Math.floor(Math.floor(bitOffset / 8) / size) * size;
}

function isSigned(types: CoreTypes, id: TypeId): boolean {
  const kind = types.kindOf(id);
  if (isEnum(kind)) return types.flagOf(id);
  return kind === Kind.INT && (types.intOf(id).encoding & IntEncoding.SIGNED) !== 0;
}

/** FieldValues are a local and a target value. */
export interface FieldValues {
  readonly local: bigint;
  readonly target: bigint;
  readonly isChecked: boolean;
}

/**
 * alignedValues returns the values of a relocation about a member or an element, as cilium/ebpf computes them: a bitfield
 * is in the word of its type. Modelled on `coreCalculateFixup`.
 *
 * @throws a refusal for what has no size, no alignment, or no sign.
 */
export function alignedValues(
  kind: RelocationKind,
  local: Field,
  target: Field,
  order: ByteOrder,
): FieldValues {
  const hasBitfield = local.bitfieldSize > 0 || target.bitfieldSize > 0;
  const [own, theirs] = [alignedPlace(local, hasBitfield), alignedPlace(target, hasBitfield)];
  const values = (a: number, b: number): FieldValues => ({
    local: BigInt(a),
    target: BigInt(b),
    isChecked: local.bitfieldSize === 0,
  });
  const shifted = (value: number): FieldValues => ({
    local: 0n,
    // 32 bits, as in cilium/ebpf.
    target: BigInt(value >>> 0),
    isChecked: false,
  });
  switch (kind) {
    case 'FIELD_BYTE_OFFSET':
      return values(own.start, theirs.start);
    case 'FIELD_BYTE_SIZE':
      return values(local.types.sizeOf(local.typeId), target.types.sizeOf(target.typeId));
    case 'FIELD_LSHIFT_U64':
      return shifted(
        order === 'little'
          ? 64 - theirs.bit - widthOf(target)
          : 64 - target.types.sizeOf(target.typeId) * 8 + theirs.bit,
      );
    case 'FIELD_RSHIFT_U64':
      return shifted(64 - widthOf(target));
    case 'FIELD_SIGNED':
      return { local: signOf(local, local), target: signOf(target, local), isChecked: true };
    default:
      return { local: 1n, target: 1n, isChecked: true };
  }
}

function widthOf({ types, typeId, bitfieldSize }: Field): number {
  return bitfieldSize > 0 ? bitfieldSize : types.sizeOf(typeId) * 8;
}

/** The byte at which a field is loaded, and the bit within it at which a bitfield begins. */
function alignedPlace(field: Field, hasBitfield: boolean): { readonly start: number; readonly bit: number } {
  const { bitOffset, baseOffset, isMember } = field;
  if (!hasBitfield || !isMember) return { start: Math.floor(bitOffset / 8), bit: 0 };
  const alignment = alignmentOf(field);
  const within = bitOffset - baseOffset;
  const aligned = startOf(within, alignment);
  return { start: Math.floor(baseOffset / 8) + aligned, bit: within - aligned * 8 };
}

function alignmentOf({ types, typeId }: Field): number {
  const id = elementOf(types, typeId);
  const kind = types.kindOf(id);
  const size = isEnum(kind) || kind === Kind.INT ? types.thirdOf(id) : 0;
  if (size > 0 && (size & (size - 1)) === 0) return size;
  throw refusal(`the alignment of type id ${id} cannot be computed`);
}

/** The target must be of the kind of the local field. */
function signOf({ types, typeId }: Field, local: Field): bigint {
  const kind = types.kindOf(typeId);
  const localKind = local.types.kindOf(local.typeId);
  if (isEnum(kind) && isEnum(localKind)) return types.flagOf(typeId) ? 1n : 0n;
  if (kind === Kind.INT && localKind === Kind.INT)
    return BigInt(types.intOf(typeId).encoding & IntEncoding.SIGNED);
  throw refusal('only integers and enums have a sign');
}

/** canAdjust reports whether a load or store may take the size of the target: pointers and unsigned integers. */
export function canAdjust(local: Field, target: Field): boolean {
  const kinds = [local, target].map(({ types, typeId }) => types.kindOf(typeId));
  if (kinds.every((kind) => kind === Kind.PTR)) return true;
  if (!kinds.every((kind) => kind === Kind.INT)) return false;
  return [local, target].every(({ types, typeId }) => types.intOf(typeId).encoding !== IntEncoding.SIGNED);
}
