import { BtfFormatError, BtfReadError } from './format-error.js';
import { type BtfHeader, type BtfSection, type ByteOrder, parseHeader } from './header.js';
import { type KindSizes, kindSizes, TYPE_LENGTH } from './kind-sizes.js';
import { DEFAULT_PARSE_LIMITS } from './limits.js';
import { type BtfNote, kindsNote, unreadableNote } from './notes.js';
import type { TypeId } from './types.js';
import { hostWords, kindOfInfo, RUN, wordsOf } from './words.js';

/** The types of a kernel take 26 bytes on average. If a type takes less, the index is copied to a longer array. */
const USUAL_LENGTH = 24;

/** TypeIndexInput is the input of {@link indexTypes}. */
export interface TypeIndexInput {
  /** The bytes of the type section. */
  readonly bytes: Uint8Array;
  readonly order: ByteOrder;
  readonly section: BtfSection;
  readonly sizes: KindSizes;
  readonly firstTypeId: TypeId;
  /** Maximum number of types. */
  readonly limit: number;
}

/**
 * indexTypes finds where each type starts, in bytes from the start of the type section, by one pass over the info words
 * of the types. Afterwards each type is known to lie within the section with all its elements, so no later read or
 * allocation can exceed the section.
 *
 * @throws BtfFormatError `MALFORMED` if a type ends after the section or has kind 0.
 * @throws BtfFormatError `UNSUPPORTED` for a kind of unknown size.
 * @throws BtfFormatError `LIMIT_EXCEEDED` for more types than `limit`.
 */
export function indexTypes(input: TypeIndexInput): Uint32Array {
  const { bytes, order, section, sizes, limit } = input;
  const offsets = new Uint32Array(Math.min(Math.ceil(section.length / USUAL_LENGTH), limit));
  const index: GrowingIndex = {
    words: hostWords(bytes, order),
    end: section.length,
    offsets,
    count: 0,
    at: 0,
  };
  while (index.at < index.end) {
    const { count, at } = index;
    if (count === index.offsets.length) {
      if (count === limit) throw tooManyTypes(input, at);
      index.offsets = longer(index.offsets, limit);
    }
    addTypes(index, bytes, order === 'little' ? 7 : 4, sizes);
    if (index.count === count) throw invalidType(input, count, at);
  }
  return index.offsets.subarray(0, index.count);
}

interface GrowingIndex {
  readonly words: Int32Array;
  /** The length of the type section. */
  readonly end: number;
  offsets: Uint32Array;
  count: number;
  /** Where the next type starts. */
  at: number;
}

/**
 * Adds some types, up to the first that is invalid. See {@link RUN}.
 *
 * @param highByte the index in a type of the highest byte of its info word.
 */
function addTypes(
  index: GrowingIndex,
  bytes: Uint8Array,
  highByte: number,
  { fixed, element }: KindSizes,
): void {
  const { words, end, offsets } = index;
  let { count, at } = index;
  const last = Math.min(count + RUN, offsets.length);
  // Each step waits for the one before. So it reads the kind as a byte, which needs no shift, and calls nothing.
  while (at < end && count < last) {
    const high = bytes[at + highByte] ?? 0;
    const once = fixed[high] ?? 0;
    const next = at + once + (element[high] ?? 0) * ((words[(at >>> 2) + 1] ?? 0) & 0xffffff);
    if (once === 0 || next > end) break;
    offsets[count] = at;
    count += 1;
    at = next;
  }
  index.count = count;
  index.at = at;
}

function longer(offsets: Uint32Array, limit: number): Uint32Array {
  const copy = new Uint32Array(Math.min(offsets.length * 2, limit));
  copy.set(offsets);
  return copy;
}

function tooManyTypes({ section, limit }: TypeIndexInput, at: number): BtfFormatError {
  return new BtfFormatError('LIMIT_EXCEEDED', `more than ${limit} types`, { offset: section.offset + at });
}

function invalidType(
  { bytes, order, section, firstTypeId, sizes }: TypeIndexInput,
  count: number,
  at: number,
): BtfFormatError {
  const place = { offset: section.offset + at, typeId: firstTypeId + count };
  // A type that is cut off before its info word has no kind.
  const isCut = section.length - at < TYPE_LENGTH;
  const kind = isCut ? 0 : kindOfInfo(wordsOf(bytes, order).i32(at + 4));
  if (isCut || sizes.fixed[kind] !== 0) {
    return new BtfFormatError('MALFORMED', 'type ends after the end of the type section', place);
  }
  if (kind === 0) return new BtfFormatError('MALFORMED', 'type of kind 0', place);
  const message = `type of unknown kind ${kind}, and no layout section gives its size`;
  return new BtfFormatError('UNSUPPORTED', message, place);
}

/**
 * countTypes counts the types of a BTF, without void. Types are not decoded; the count costs one pass over the type
 * section.
 *
 * @param base the base of split BTF, whose layout section may have the sizes of unknown kinds. Default: none, which
 * suffices for known kinds.
 * @throws BtfFormatError `MALFORMED` if the header, the layout section or the extent of a type is invalid.
 * @throws BtfFormatError `UNSUPPORTED` for an unknown version, and for a kind of unknown size.
 * @throws BtfFormatError `LIMIT_EXCEEDED` for more types than the default limit.
 */
export function countTypes(bytes: Uint8Array, base: Uint8Array | null = null): number {
  return indexOf(bytes, parseHeader(bytes), sizesOf(base)).offsets.length;
}

/** BtfSurvey is what a survey of a BTF finds. */
export interface BtfSurvey {
  /** The number of types, without void; null if there is a type of a kind of unknown size. */
  readonly typeCount: number | null;
  /** The parts that this library does not know, as in `Spec.notes`, and the types from one of unknown size on. */
  readonly notes: readonly BtfNote[];
}

/**
 * surveyBtf counts the types of a BTF, and finds the parts that this library does not know. In contrast to {@link
 * countTypes} and `Spec.parse` it does not fail for a type of unknown size: whoever only passes the BTF on need not read
 * it.
 *
 * @param base as for {@link countTypes}.
 * @throws BtfFormatError `MALFORMED` if the header, the layout section or the extent of a type is invalid, or the header or
 * the layout section of the base.
 * @throws BtfFormatError `UNSUPPORTED` for an unknown version of the BTF or of its base.
 * @throws BtfFormatError `LIMIT_EXCEEDED` for more types than the default limit.
 */
export function surveyBtf(bytes: Uint8Array, base: Uint8Array | null = null): BtfSurvey {
  const header = parseHeader(bytes);
  // Errors of the base are not caught: they are not about types of unknown size.
  const baseSizes = sizesOf(base);
  try {
    const { words, offsets, sizes } = indexOf(bytes, header, baseSizes);
    const kinds = sizes.hasUnknown ? kindsNote(words, offsets, header.types) : [];
    return { typeCount: offsets.length, notes: [...header.notes, ...kinds] };
  } catch (error) {
    if (!(error instanceof BtfReadError) || error.code !== 'UNSUPPORTED' || error.offset === null)
      throw error;
    return { typeCount: null, notes: [...header.notes, unreadableNote(error.offset, header.types)] };
  }
}

/** Returns the sizes of kinds in the layout section of a base; null if there is no base. */
function sizesOf(base: Uint8Array | null): KindSizes | null {
  return base === null ? null : kindSizes(base, parseHeader(base), null);
}

function indexOf(bytes: Uint8Array, header: BtfHeader, baseSizes: KindSizes | null) {
  const section = header.types;
  const order = header.byteOrder;
  const types = bytes.subarray(section.offset, section.offset + section.length);
  const sizes = kindSizes(bytes, header, baseSizes);
  const limit = DEFAULT_PARSE_LIMITS.types;
  const offsets = indexTypes({ bytes: types, order, section, sizes, firstTypeId: 1, limit });
  return { words: wordsOf(types, order), sizes, offsets };
}
