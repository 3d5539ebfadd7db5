import { BtfFormatError } from './format-error.js';
import { type BtfHeader, type BtfSection, parseHeader } from './header.js';
import { type KindSizes, kindSizes, TYPE_LENGTH } from './kind-sizes.js';
import { DEFAULT_PARSE_LIMITS } from './limits.js';
import { type BtfNote, kindsNote, unreadableNote } from './notes.js';
import type { TypeId } from './types.js';
import { kindOfInfo, vlenOfInfo, type Words, wordsOf } from './words.js';

/** The types of a kernel take 26 bytes on average. If a type takes less, the index is copied to a longer array. */
const USUAL_LENGTH = 24;

/** TypeIndexInput is the input of {@link indexTypes}. */
export interface TypeIndexInput {
  readonly words: Words;
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
  const { words, sizes, limit } = input;
  const { fixed, element } = sizes;
  const end = input.section.length;
  let offsets: Uint32Array = new Uint32Array(Math.min(Math.ceil(end / USUAL_LENGTH), limit));
  let count = 0;
  let at = 0;
  while (at < end) {
    if (count === limit) throw tooManyTypes(input, at);
    if (end - at < TYPE_LENGTH) throw truncated(input, count, at);
    const info = words.i32(at + 4);
    const kind = kindOfInfo(info);
    const once = fixed[kind] ?? 0;
    if (once === 0) throw unknownKind(input, count, at, kind);
    const length = once + (element[kind] ?? 0) * vlenOfInfo(info);
    if (length > end - at) throw truncated(input, count, at);
    if (count === offsets.length) offsets = longer(offsets);
    offsets[count] = at;
    count += 1;
    at += length;
  }
  return offsets.subarray(0, count);
}

function longer(offsets: Uint32Array): Uint32Array {
  const copy = new Uint32Array(offsets.length * 2);
  copy.set(offsets);
  return copy;
}

function tooManyTypes({ section, limit }: TypeIndexInput, at: number): BtfFormatError {
  return new BtfFormatError('LIMIT_EXCEEDED', `more than ${limit} types`, { offset: section.offset + at });
}

function truncated({ section, firstTypeId }: TypeIndexInput, count: number, at: number): BtfFormatError {
  return new BtfFormatError('MALFORMED', 'type ends after the end of the type section', {
    offset: section.offset + at,
    typeId: firstTypeId + count,
  });
}

function unknownKind(
  { section, firstTypeId }: TypeIndexInput,
  count: number,
  at: number,
  kind: number,
): BtfFormatError {
  const place = { offset: section.offset + at, typeId: firstTypeId + count };
  return kind === 0
    ? new BtfFormatError('MALFORMED', 'type of kind 0', place)
    : new BtfFormatError(
        'UNSUPPORTED',
        `type of unknown kind ${kind}, and no layout section gives its size`,
        place,
      );
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
    if (!(error instanceof BtfFormatError) || error.code !== 'UNSUPPORTED' || error.offset === null)
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
  const words = wordsOf(bytes.subarray(section.offset, section.offset + section.length), header.byteOrder);
  const sizes = kindSizes(bytes, header, baseSizes);
  const limit = DEFAULT_PARSE_LIMITS.types;
  return { words, sizes, offsets: indexTypes({ words, section, sizes, firstTypeId: 1, limit }) };
}
