import { BtfFormatError } from './format-error.js';
import type { TypeId } from './types.js';

const encoder = /* @__PURE__ */ new TextEncoder();
const decoder = /* @__PURE__ */ new TextDecoder('utf-8', { ignoreBOM: true });

/** Single strings are decoded until they add up to this fraction of the section. Then all of it is decoded. */
const WHOLE_AFTER = 1 / 8;

/** Up to this length, building a string from its bytes is faster than a call of TextDecoder. */
const SHORT = 64;

/**
 * The end of a string up to this length is searched for, that of a longer one is looked up. Kernel names are shorter.
 */
const SEARCHED = 512;

/** One array for each length up to {@link SHORT}. */
const SEARCHED_NAMES: Uint8Array[] = [];

/**
 * searchedBytes returns the UTF-8 of a name that is searched; null if it has a NUL, so that no string is equal to it. The
 * bytes hold only until the next call. Most names are short and ASCII: for these, a new array would take more time than the search.
 */
export function searchedBytes(name: string): Uint8Array | null {
  const { length } = name;
  if (length > SHORT) return encoded(name);
  const bytes = (SEARCHED_NAMES[length] ??= new Uint8Array(length));
  for (let at = 0; at < length; at++) {
    const code = name.charCodeAt(at);
    if (code === 0 || code > 0x7f) return encoded(name);
    bytes[at] = code;
  }
  return bytes;
}

function encoded(name: string): Uint8Array | null {
  return name.includes('\0') ? null : encoder.encode(name);
}

/** TextSpan is a place for the bytes of a string: those from `from` until before `to`. */
export interface TextSpan {
  bytes: Uint8Array;
  from: number;
  to: number;
}

/**
 * StringTable is the string section of a BTF, which continues that of its base.
 *
 * An offset may point into the middle of another string, because tools share suffixes. Bytes that are not UTF-8 read as
 * U+FFFD.
 */
export class StringTable {
  readonly #bytes: Uint8Array;
  readonly #base: StringTable | null;
  readonly #maxLength: number;
  /** The offset of the first own string: split BTF continues the offsets of its base. */
  readonly #start: number;
  /** The first offset after the table's own strings. */
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
   * @throws BtfFormatError `MALFORMED` if the offset lies outside the section.
   * @throws BtfFormatError `LIMIT_EXCEEDED` if the string is too long.
   */
  get(offset: number, place: number, typeId: TypeId): string {
    if (offset < this.#start && this.#base !== null) return this.#base.get(offset, place, typeId);
    const from = this.#checkStart(offset, place, typeId);
    const to = this.#endOf(from);
    this.#checkLength(offset, to - from, place, typeId);
    return this.#text(from, to);
  }

  /**
   * find sets `span` to the bytes of the string at an offset, which are UTF-8.
   *
   * @throws BtfReadError as {@link get} does.
   */
  find(offset: number, place: number, typeId: TypeId, span: TextSpan): void {
    if (offset < this.#start && this.#base !== null) {
      this.#base.find(offset, place, typeId, span);
      return;
    }
    const from = this.#checkStart(offset, place, typeId);
    const to = this.#endOf(from);
    this.#checkLength(offset, to - from, place, typeId);
    let all = 0;
    for (let at = from; at < to; at++) all |= this.#bytes[at] ?? 0;
    setSpan(span, this.#bytes, from, to);
    if (all < 0x80) return;
    const text = encoder.encode(decoder.decode(this.#bytes.subarray(from, to)));
    setSpan(span, text, 0, text.length);
  }

  /**
   * mayEqual is a quick test that most strings fail. {@link equals} decides for the others.
   *
   * @param name bytes without NUL.
   */
  mayEqual(offset: number, name: Uint8Array): boolean {
    if (offset < this.#start) return this.#base !== null && this.#base.mayEqual(offset, name);
    const from = offset - this.#start;
    return this.#bytes[from + name.length] === 0 && (name.length === 0 || this.#bytes[from] === name[0]);
  }

  /** equals reports whether the string at an offset has exactly these bytes, given that {@link mayEqual} holds. */
  equals(offset: number, name: Uint8Array): boolean {
    if (offset < this.#start) return this.#base !== null && this.#base.equals(offset, name);
    const from = offset - this.#start;
    for (let i = 0; i < name.length; i++) {
      if (this.#bytes[from + i] !== name[i]) return false;
    }
    return true;
  }

  /** byteAt returns a byte of the section or of a base's section; 0 after the end. */
  byteAt(offset: number): number {
    if (offset < this.#start) return this.#base === null ? 0 : this.#base.byteAt(offset);
    return this.#bytes[offset - this.#start] ?? 0;
  }

  /** findRaw sets `span` to the bytes from an offset to the end of its section, as they are. */
  findRaw(offset: number, span: TextSpan): void {
    if (offset < this.#start && this.#base !== null) this.#base.findRaw(offset, span);
    else setSpan(span, this.#bytes, offset - this.#start, this.#bytes.length);
  }

  /** hash returns the {@link hashText} of the string at an offset; 0 for an offset outside the section. */
  hash(offset: number): number {
    if (offset < this.#start) return this.#base === null ? 0 : this.#base.hash(offset);
    return hashText(this.#bytes, offset - this.#start);
  }

  /** Returns the index of the string at an offset, which is not one of the base's. */
  #checkStart(offset: number, place: number, typeId: TypeId): number {
    if (offset < this.end) return offset - this.#start;
    const message = `string offset ${offset} is after the end of the string section at ${this.end}`;
    throw new BtfFormatError('MALFORMED', message, { offset: place, typeId });
  }

  #checkLength(offset: number, length: number, place: number, typeId: TypeId): void {
    if (length <= this.#maxLength) return;
    const message = `string at ${offset} is longer than the limit of ${this.#maxLength} bytes`;
    throw new BtfFormatError('LIMIT_EXCEEDED', message, { offset: place, typeId });
  }

  /** The index of the NUL that ends a string. */
  #endOf(from: number): number {
    const bytes = this.#bytes;
    const whole = this.#whole;
    let to = from;
    if (whole !== null && whole !== '' && this.#long === null) {
      // Faster for short strings. It has no limit, so it serves only until one long string is found.
      to = whole.indexOf('\0', from);
    } else {
      while (to - from <= SEARCHED && bytes[to] !== 0) to++;
    }
    if (to - from <= SEARCHED) return to;
    // Many names may be suffixes of one endless string. Each of them must not cost its whole length.
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

function setSpan(span: TextSpan, bytes: Uint8Array, from: number, to: number): void {
  span.bytes = bytes;
  span.from = from;
  span.to = to;
}

/**
 * wholeText decodes all strings at once, so that each is a slice of one text, ten times faster than decoding each.
 * Offsets still hold only if every byte became one character; otherwise it returns ''.
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

/**
 * Number of bytes of a string that decide its hash. Types may share one endless name, which must not cost its length
 * for each.
 */
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
  // Mix the high bits into the low ones, which choose a bucket.
  return hash ^ (hash >>> 15) || 1;
}

/** LongStrings finds the ends of the strings of a section that are longer than a given length. */
export class LongStrings {
  readonly #ends: Uint32Array;

  /** @param longer strings of at most this many bytes are left out. */
  constructor(bytes: Uint8Array, longer: number) {
    // Each long string takes more than `longer` bytes, which bounds their number.
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

  /** endOf returns the index of the NUL that ends the long string around an index. */
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
