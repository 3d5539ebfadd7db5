import { BtfFormatError } from './format-error.js';
import type { TypeId } from './types.js';

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Single strings are decoded until they make up this part of the section; then all of it is decoded. */
const WHOLE_AFTER = 1 / 8;

/** Up to here building a string from its bytes is quicker than a call of TextDecoder. */
const SHORT = 64;

/** The end of strings up to this length is searched, that of longer ones is looked up; kernel names are shorter. */
const SEARCHED = 512;

/**
 * StringTable is the string section of a BTF, continuing that of its base.
 *
 * An offset may point into the middle of another string: tools share suffixes. Bytes that are no UTF-8
 * read as U+FFFD.
 */
export class StringTable {
  readonly #bytes: Uint8Array;
  readonly #base: StringTable | null;
  readonly #maxLength: number;
  /** The offset of the first own string: a split BTF counts on from the end of its base. */
  readonly #start: number;
  /** The offset behind the last own string. */
  readonly end: number;
  #decodedSingly = 0;
  #whole: string | null = null;
  #long: LongStrings | null = null;

  /**
   * @param bytes the section; its last byte must be NUL unless it is empty.
   * @param maxLength the longest string to return, in bytes.
   */
  constructor(bytes: Uint8Array, base: StringTable | null, maxLength: number) {
    this.#bytes = bytes;
    this.#base = base;
    this.#maxLength = maxLength;
    this.#start = base === null ? 0 : base.end;
    this.end = this.#start + bytes.length;
  }

  /**
   * get returns the string at an offset.
   *
   * @param place where the offset was read, in bytes from the start of the BTF, for errors.
   * @throws BtfFormatError `MALFORMED` for an offset outside of the section, `LIMIT_EXCEEDED` for a long string.
   */
  get(offset: number, place: number, typeId: TypeId): string {
    if (offset >= this.end) {
      const message = `string offset ${offset} is behind the end of the string section at ${this.end}`;
      throw new BtfFormatError('MALFORMED', message, { offset: place, typeId });
    }
    if (offset < this.#start && this.#base !== null) return this.#base.get(offset, place, typeId);
    const from = offset - this.#start;
    const to = this.#endOf(from);
    if (to - from > this.#maxLength) {
      const message = `string at ${offset} is longer than the limit of ${this.#maxLength} bytes`;
      throw new BtfFormatError('LIMIT_EXCEEDED', message, { offset: place, typeId });
    }
    return this.#text(from, to);
  }

  /**
   * mayEqual is a test that most strings fail at once; {@link equals} decides for the others.
   *
   * @param name bytes without NUL.
   */
  mayEqual(offset: number, name: Uint8Array): boolean {
    if (offset < this.#start) return this.#base !== null && this.#base.mayEqual(offset, name);
    const from = offset - this.#start;
    return this.#bytes[from + name.length] === 0 && (name.length === 0 || this.#bytes[from] === name[0]);
  }

  /** equals tells whether the string at an offset has exactly these bytes, for which {@link mayEqual} holds. */
  equals(offset: number, name: Uint8Array): boolean {
    if (offset < this.#start) return this.#base !== null && this.#base.equals(offset, name);
    const from = offset - this.#start;
    for (let i = 0; i < name.length; i++) {
      if (this.#bytes[from + i] !== name[i]) return false;
    }
    return true;
  }

  /** byteAt gives a byte of the section or of a base's; 0 behind the end. */
  byteAt(offset: number): number {
    if (offset < this.#start) return this.#base === null ? 0 : this.#base.byteAt(offset);
    return this.#bytes[offset - this.#start] ?? 0;
  }

  /** hash gives the {@link hashText} of the string at an offset; 0 for an offset outside of the section. */
  hash(offset: number): number {
    if (offset < this.#start) return this.#base === null ? 0 : this.#base.hash(offset);
    return hashText(this.#bytes, offset - this.#start);
  }

  /** The index of the NUL that ends a string. */
  #endOf(from: number): number {
    const bytes = this.#bytes;
    const last = from + SEARCHED;
    let to = from;
    while (to <= last && bytes[to] !== 0) to++;
    if (to <= last) return to;
    // Many names may be suffixes of one endless string: their cost must not be its length for each.
    this.#long ??= new LongStrings(bytes, SEARCHED);
    return this.#long.endOf(from);
  }

  #text(from: number, to: number): string {
    this.#whole ??= this.#decodedSingly > this.#bytes.length * WHOLE_AFTER ? wholeText(this.#bytes) : null;
    if (this.#whole !== null && this.#whole !== '') return this.#whole.slice(from, to);
    this.#decodedSingly += to - from;
    return singleText(this.#bytes, from, to);
  }
}

/**
 * wholeText decodes all strings at once, so that each is a slice of one text: ten times quicker than
 * decoding each. Only where every byte became one character do offsets still hold; otherwise it returns ''.
 */
function wholeText(bytes: Uint8Array): string {
  const text = decoder.decode(bytes);
  return text.length === bytes.length ? text : '';
}

function singleText(bytes: Uint8Array, from: number, to: number): string {
  if (to - from > SHORT) return decoder.decode(bytes.subarray(from, to));
  let text = '';
  for (let at = from; at < to; at++) {
    const byte = bytes[at] ?? 0;
    if (byte > 0x7f) return decoder.decode(bytes.subarray(from, to));
    text += String.fromCharCode(byte);
  }
  return text;
}

/** Bytes of a string that decide its hash: types may share one endless name, which must not cost its length for each. */
const HASHED = 64;

/**
 * hashText hashes the string that starts at an index and ends before a NUL or with the bytes (FNV-1a).
 *
 * @returns 0 for the empty string and for no other.
 */
export function hashText(bytes: Uint8Array, from: number): number {
  const last = from + HASHED;
  let hash = 0x811c9dc5;
  let at = from;
  for (; at < last; at++) {
    const byte = bytes[at] ?? 0;
    if (byte === 0) break;
    hash = Math.imul(hash ^ byte, 0x01000193);
  }
  if (at === from) return 0;
  // The low bits, which choose a bucket, get their share of the high ones.
  return hash ^ (hash >>> 15) || 1;
}

/** LongStrings knows where the strings of a section end that are longer than a given length. */
export class LongStrings {
  readonly #ends: Uint32Array;

  /** @param longer strings of at most that many bytes are left out. */
  constructor(bytes: Uint8Array, longer: number) {
    // Each of them takes more than `longer` bytes, which bounds their count.
    const ends = new Uint32Array(Math.ceil(bytes.length / (longer + 1)));
    let count = 0;
    let start = 0;
    for (let at = 0; at < bytes.length; at++) {
      if (bytes[at] !== 0) continue;
      if (at - start > longer) ends[count++] = at;
      start = at + 1;
    }
    this.#ends = ends.slice(0, count);
  }

  /** endOf returns the index of the NUL of the long string in which an index lies. */
  endOf(index: number): number {
    let low = 0;
    let high = this.#ends.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ends[middle] ?? 0) < index) low = middle + 1;
      else high = middle;
    }
    return this.#ends[low] ?? index;
  }
}
