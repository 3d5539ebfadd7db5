import { HEAD_WORDS } from '../kind-words.js';
import { Kind, type TypeId } from '../types.js';
import { isModifier, isRegularInt, type RawTypes } from './raw-types.js';
import type { Resolution } from './resolution.js';

const EXCEEDS = 'Member exceeds struct_size';
const UNALIGNED = 'Member is not byte aligned';
const BITFIELD = 'Invalid member bitfield_size';

/**
 * memberProblem returns the problem of a member's place in its struct or union, after the type of the member was
 * resolved; null if there is none.
 *
 * @param index the index of the member.
 */
export function memberProblem(
  types: RawTypes,
  resolution: Resolution,
  id: TypeId,
  index: number,
): string | null {
  const declared = types.word(id, HEAD_WORDS + index * 3 + 1);
  const word = types.word(id, HEAD_WORDS + index * 3 + 2);
  const sized = resolution.sizedId(declared);
  if (sized === 0) return isModifier(types.kind(declared)) ? 'Invalid member' : 'Unsupported check_member';
  const kind = types.kind(sized);
  const structSize = types.third(id);
  const packed = types.kindFlag(id);
  const offset = packed ? word & 0xffffff : word;
  const width = packed ? word >>> 24 : 0;
  if (kind === Kind.INT) {
    const intWord = types.word(sized, HEAD_WORDS);
    return packed ? bitfieldInt(intWord, offset, width, structSize) : plainInt(intWord, offset, structSize);
  }
  if (packed && (kind === Kind.ENUM || kind === Kind.ENUM64)) return bitfieldEnum(offset, width, structSize);
  if (width !== 0) return BITFIELD;
  const size = resolution.sizeOf(sized);
  if (kind === Kind.FLOAT) return float(size, offset, structSize, resolution.pointerSize);
  if (offset % 8 !== 0) return UNALIGNED;
  return structSize - offset / 8 < size ? EXCEEDS : null;
}

/**
 * plainMemberSize returns the bytes that a member of a type needs in a struct or union without bitfields, if {@link
 * memberProblem} allows it wherever a whole number of bytes is before it and there is room. Returns -1 for a type with other
 * rules.
 *
 * @param declared the type of a member without a problem.
 */
export function plainMemberSize(types: RawTypes, resolution: Resolution, declared: TypeId): number {
  const sized = resolution.sizedId(declared);
  const kind = types.kind(sized);
  if (kind === Kind.FLOAT) return -1;
  if (kind !== Kind.INT) return resolution.sizeOf(sized);
  const intWord = types.word(sized, HEAD_WORDS);
  return isRegularInt(intWord) ? (intWord & 0xff) / 8 : -1;
}

function plainInt(intWord: number, memberOffset: number, structSize: number): string | null {
  const offset = memberOffset + ((intWord >>> 16) & 0xff);
  if (offset > 0xffffffff) return 'bits_offset exceeds U32_MAX';
  return bits(offset, intWord & 0xff, structSize);
}

function bitfieldInt(intWord: number, offset: number, width: number, structSize: number): string | null {
  const intBits = intWord & 0xff;
  if (!isRegularInt(intWord)) return 'Invalid member base type';
  if (width === 0 && offset % 8 !== 0) return 'Invalid member offset';
  if (width > intBits) return BITFIELD;
  return bits(offset, width === 0 ? intBits : width, structSize);
}

/** The kernel copies whole bytes to read the bits, 16 at most. */
function bits(offset: number, width: number, structSize: number): string | null {
  const copied = width + (offset % 8);
  if (copied > 128) return 'nr_copy_bits exceeds 128';
  return structSize - Math.floor(offset / 8) < Math.ceil(copied / 8) ? EXCEEDS : null;
}

function bitfieldEnum(offset: number, width: number, structSize: number): string | null {
  // The kernel reads an enum as an int here, also an ENUM64.
  if (width === 0 && offset % 8 !== 0) return UNALIGNED;
  if (width > 32) return BITFIELD;
  return structSize < Math.ceil((offset + (width === 0 ? 32 : width)) / 8) ? EXCEEDS : null;
}

function float(size: number, offset: number, structSize: number, pointerSize: number): string | null {
  if (offset % (Math.min(pointerSize, size) * 8) !== 0) return 'Member is not properly aligned';
  return Math.floor(offset / 8) + size > structSize ? EXCEEDS : null;
}
