import type { DescField } from '@bufbuild/protobuf';

/** The wire types of protobuf that are used here. */
const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;

/** More than a tag and a number take: two varints of at most five bytes. */
const NUMBER_BYTES = 10;

/**
 * WireWriter encodes protobuf messages without making objects of them. It follows proto3 for fields without `optional`: a
 * number, bool or string is left out if it is 0, false or empty.
 *
 * Fields are written in the order of their numbers, as every encoder does, so that the bytes are the same.
 */
export class WireWriter {
  #bytes = new Uint8Array(64);
  #length = 0;

  /** The number of bytes written. */
  get length(): number {
    return this.#length;
  }

  /** The number of bytes for which it has memory. */
  get capacity(): number {
    return this.#bytes.length;
  }

  /** clear removes what was written, and keeps the memory. */
  clear(): void {
    this.#length = 0;
  }

  /**
   * takeField returns a message whose only field is the message of the first `length` bytes. It removes these: the others
   * move to the start.
   */
  takeField(field: number, length: number): Uint8Array {
    const prefix = new WireWriter();
    prefix.#varint((field << 3) | LENGTH_DELIMITED);
    prefix.#varint(length);
    const taken = new Uint8Array(prefix.length + length);
    taken.set(prefix.#bytes.subarray(0, prefix.length));
    taken.set(this.#bytes.subarray(0, length), prefix.length);
    this.#bytes.copyWithin(0, length, this.#length);
    this.#length -= length;
    return taken;
  }

  /** take returns the bytes that were written, and removes them. */
  take(): Uint8Array {
    const taken = this.#bytes.slice(0, this.#length);
    this.#length = 0;
    return taken;
  }

  /** uint32 writes a uint32. */
  uint32(field: number, value: number): void {
    if (value === 0) return;
    this.#reserve(NUMBER_BYTES);
    this.#varint((field << 3) | VARINT);
    this.#varint(value);
  }

  /** bool writes a bool. */
  bool(field: number, value: boolean): void {
    this.uint32(field, value ? 1 : 0);
  }

  /** sint writes a sint32, or a sint64 whose value is that of an int32 or of a uint32. */
  sint(field: number, value: number): void {
    if (value === 0) return;
    this.#reserve(NUMBER_BYTES);
    this.#varint((field << 3) | VARINT);
    // Zigzag. It takes up to 33 bits, so it is not done with 32-bit operators.
    this.#varint(value < 0 ? -2 * value - 1 : 2 * value);
  }

  /** fixed64 writes a fixed64 from its low and high 32 bits. */
  fixed64(field: number, low: number, high: number): void {
    if (low === 0 && high === 0) return;
    this.#reserve(NUMBER_BYTES);
    this.#varint((field << 3) | FIXED64);
    this.#word(low);
    this.#word(high);
  }

  /** bytes writes bytes. */
  bytes(field: number, value: Uint8Array): void {
    if (value.length === 0) return;
    this.#delimited(field, value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
  }

  /**
   * string writes a string of `length` bytes.
   *
   * @param copy copies the string's UTF-8 into an array at an index.
   */
  string(field: number, length: number, copy: (target: Uint8Array, at: number) => void): void {
    if (length === 0) return;
    this.#delimited(field, length);
    copy(this.#bytes, this.#length);
    this.#length += length;
  }

  /** text writes a string. Like every encoder it replaces halves of surrogate pairs. */
  text(field: number, text: string): void {
    if (!isShortAscii(text)) {
      this.bytes(field, UTF8.encode(text));
      return;
    }
    if (text === '') return;
    this.#delimited(field, text.length);
    for (let at = 0; at < text.length; at++) this.#bytes[this.#length++] = text.charCodeAt(at);
  }

  /** begin starts a message, which {@link end} ends. It returns what `end` needs. */
  begin(field: number): number {
    this.#delimited(field, 0);
    return this.#length;
  }

  /** end ends the message that a call of {@link begin} started. */
  end(start: number): void {
    const size = this.#length - start;
    const more = varintSize(size) - 1;
    if (more > 0) {
      this.#reserve(more);
      this.#bytes.copyWithin(start + more, start, this.#length);
    }
    this.#length = start - 1;
    this.#varint(size);
    this.#length += size;
  }

  #delimited(field: number, length: number): void {
    this.#reserve(NUMBER_BYTES + length);
    this.#varint((field << 3) | LENGTH_DELIMITED);
    this.#varint(length);
  }

  /** Writes an unsigned number of up to 53 bits. */
  #varint(value: number): void {
    let rest = value;
    while (rest > 0x7f) {
      // Modulo, because operators on bits see 32 of them.
      this.#bytes[this.#length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#length++] = rest;
  }

  #word(value: number): void {
    for (let bits = 0; bits < 32; bits += 8) this.#bytes[this.#length++] = value >>> bits;
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const longer = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    longer.set(this.#bytes);
    this.#bytes = longer;
  }
}

/** Longer texts take less time with TextEncoder. */
const SHORT_TEXT = 64;
const UTF8 = new TextEncoder();

function isShortAscii(text: string): boolean {
  if (text.length > SHORT_TEXT) return false;
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 0x7f) return false;
  return true;
}

/** fieldNumbers returns the number of each field of a message, by its name. */
export function fieldNumbers<Names extends string>(schema: {
  readonly field: Readonly<Record<Names, DescField>>;
}): Readonly<Record<Names, number>>;
export function fieldNumbers(schema: {
  readonly field: Readonly<Record<string, DescField>>;
}): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(schema.field).map(([name, { number }]) => [name, number]));
}

/** Returns the number of bytes of an unsigned number as a varint. */
function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 0x80)) size += 1;
  return size;
}
