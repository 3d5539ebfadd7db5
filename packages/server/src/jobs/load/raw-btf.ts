import { Kind, KINDS, type BtfHeader, type TypeId } from '@btfd/btf';
import type { SizeOfKind } from './unknown-kinds.js';

/** Types or bytes read in a step: a few milliseconds. */
const TYPES_PER_STEP = 200_000;
const BYTES_PER_STEP = 2 * 1024 * 1024;

/** The words that every type begins with: name, info, size or type id. */
const HEAD_WORDS = 3;
const WORD_BYTES = 4;

/** The kernel accepts no longer name, except for tags (KSYM_NAME_LEN since Linux 6.1). */
export const LONGEST_NAME = 511;

/** The words of a type that follow the first three, and those of each of its elements, by kind. */
const SIZES = new Map(
  Object.entries(KINDS).map(([name, { once, each }]) => [numberOf(name), { once, each }] as const),
);

/** Why the types of BTF end before the type section does. */
export type Stop = 'INVALID' | 'UNKNOWN_KIND';

/**
 * RawBtf reads BTF as the kernel does: type after type, whether they are valid or not. Names are ranges of bytes, and a
 * reference to nothing reads as void.
 */
export class RawBtf {
  /** The first id that is too large. */
  readonly end: TypeId;
  /** The kind of the type at which reading stopped; null if all types were read. */
  readonly stop: { readonly why: Stop; readonly kind: number } | null;
  /** Length of the types in bytes. */
  readonly typeBytes: number;
  /** Length of the longest name. */
  readonly longestName: number;
  readonly #words: Int32Array;
  /** The index of the first word of each type. */
  readonly #starts: Uint32Array;
  readonly #strings: Buffer;
  readonly #sizeOfKind: SizeOfKind;
  /** Bytes from each position to the next NUL. */
  readonly #lengths: Uint32Array;

  private constructor(
    words: Int32Array,
    types: Pick<RawBtf, 'end' | 'stop'> & { readonly starts: Uint32Array },
    strings: Buffer,
    { lengths, longest }: Lengths,
    sizeOfKind: SizeOfKind,
  ) {
    this.#sizeOfKind = sizeOfKind;
    this.#words = words;
    this.#starts = types.starts;
    this.#strings = strings;
    this.#lengths = lengths;
    this.end = types.end;
    this.stop = types.stop;
    this.typeBytes = words.byteLength;
    this.longestName = longest;
  }

  /**
   * read finds the types and names of BTF in this machine's byte order. The generator yields when other jobs may have a
   * turn.
   *
   * @param sizeOfKind returns the sizes of a kind that the library does not know.
   */
  static *read(
    rawBtf: Uint8Array,
    { types, strings }: BtfHeader,
    sizeOfKind: SizeOfKind,
  ): Generator<null, RawBtf, void> {
    const words = wordsOf(rawBtf, types.offset, types.length);
    const found = yield* findTypes(words, sizeOfKind);
    const text = Buffer.from(rawBtf.buffer, rawBtf.byteOffset + strings.offset, strings.length);
    return new RawBtf(words, found, text, yield* lengthsOf(text), sizeOfKind);
  }

  kind(id: TypeId): number {
    return kindOf(this.word(id, 1));
  }

  vlen(id: TypeId): number {
    return this.word(id, 1) & 0xffffff;
  }

  /** elements returns the number of elements of a type; 0 if its kind has none, whatever its vlen is. */
  elements(id: TypeId): number {
    const kind = this.kind(id);
    const size = SIZES.get(kind) ?? this.#sizeOfKind(kind);
    return size === null || size.each === 0 ? 0 : this.vlen(id);
  }

  kindFlag(id: TypeId): boolean {
    return this.word(id, 1) > 0x7fffffff;
  }

  /** nameOffset returns the position of a type's name. */
  nameOffset(id: TypeId): number {
    return this.word(id, 0);
  }

  /** third returns the word that is a size or a type id. */
  third(id: TypeId): number {
    return this.word(id, 2);
  }

  /** word returns a word of a type, which must have that word; 0 if there is no such type. */
  word(id: TypeId, index: number): number {
    if (id === 0 || id >= this.end) return 0;
    return (this.#words[(this.#starts[id] ?? 0) + index] ?? 0) >>> 0;
  }

  /** element returns a word of an element of a type. */
  element(id: TypeId, each: number, index: number, word: number): number {
    return this.word(id, HEAD_WORDS + each * index + word);
  }

  /** nameLength returns the length of the name at a position; 0 if there is none. */
  nameLength(offset: number): number {
    return this.#lengths[offset] ?? 0;
  }

  /** name returns the name at a position, byte by byte; empty if it is longer than the kernel accepts. */
  name(offset: number): string {
    return this.text(offset, offset + this.nameLength(offset));
  }

  /**
   * text returns the bytes between two positions; empty if they are more than a name may have. Millions of long names may
   * overlap, so nothing reads a name of any length.
   */
  text(start: number, end: number): string {
    return end - start > LONGEST_NAME ? '' : this.#strings.toString('latin1', start, end);
  }

  /** startsWith reports whether the name at a position begins with a text. */
  startsWith(offset: number, text: string): boolean {
    return (
      this.nameLength(offset) >= text.length &&
      this.#strings.toString('latin1', offset, offset + text.length) === text
    );
  }

  /** find returns the position of a byte in the name at a position, or -1. */
  find(offset: number, byte: number): number {
    return this.#strings.subarray(0, offset + this.nameLength(offset)).indexOf(byte, offset);
  }
}

/** A view if the bytes are aligned, otherwise a copy. Bytes of an incomplete word are left out. */
function wordsOf(rawBtf: Uint8Array, offset: number, length: number): Int32Array {
  const start = rawBtf.byteOffset + offset;
  const count = Math.floor(length / WORD_BYTES);
  if (start % WORD_BYTES === 0) return new Int32Array(rawBtf.buffer, start, count);
  return new Int32Array(rawBtf.slice(offset, offset + count * WORD_BYTES).buffer);
}

function* findTypes(
  words: Int32Array,
  sizeOfKind: SizeOfKind,
): Generator<null, Pick<RawBtf, 'end' | 'stop'> & { readonly starts: Uint32Array }, void> {
  const starts = new Uint32Array(Math.floor(words.length / HEAD_WORDS) + 1);
  let end = 1;
  for (let at = 0; at < words.length; end++) {
    if (end % TYPES_PER_STEP === 0) yield null;
    const info = words[at + 1] ?? 0;
    const kind = kindOf(info);
    const size = SIZES.get(kind) ?? sizeOfKind(kind);
    // No kernel has a kind 0.
    if (size === null) return { end, stop: { why: kind === 0 ? 'INVALID' : 'UNKNOWN_KIND', kind }, starts };
    const next = at + HEAD_WORDS + size.once + size.each * (info & 0xffffff);
    if (next > words.length) return { end, stop: { why: 'INVALID', kind }, starts };
    starts[end] = at;
    at = next;
  }
  return { end, stop: null, starts };
}

/** Bytes from each position to the next NUL, and the most of them. */
interface Lengths {
  readonly lengths: Uint32Array;
  readonly longest: number;
}

function* lengthsOf(text: Buffer): Generator<null, Lengths, void> {
  const bytes = new Uint8Array(text.buffer, text.byteOffset, text.length);
  const lengths = new Uint32Array(text.length);
  let longest = 0;
  for (let end = text.length; end > 0; end -= BYTES_PER_STEP) {
    if (end < text.length) yield null;
    longest = Math.max(longest, fillLengths(bytes, lengths, Math.max(0, end - BYTES_PER_STEP), end));
  }
  return { lengths, longest };
}

/** Fills the lengths of a range, from its end, and returns the longest. Not part of the generator, whose loops are slow. */
function fillLengths(bytes: Uint8Array, lengths: Uint32Array, start: number, end: number): number {
  let longest = 0;
  let length = lengths[end] ?? 0;
  for (let at = end - 1; at >= start; at--) {
    length = bytes[at] === 0 ? 0 : length + 1;
    lengths[at] = length;
    if (length > longest) longest = length;
  }
  return longest;
}

function kindOf(info: number): number {
  return (info >>> 24) & 0x7f;
}

function numberOf(kind: string): number {
  const found = Object.entries(Kind).find(([name]) => name === kind);
  if (found === undefined) throw new Error(`the kind ${kind} has no number`);
  return found[1];
}
