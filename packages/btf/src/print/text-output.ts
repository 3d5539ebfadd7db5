import { BtfFormatError } from '../format-error.js';
import { C_BYTES, isKeyword, needsUnderscore } from './c-identifiers.js';
import type { StringBytes } from './string-bytes.js';

const decoder = /* @__PURE__ */ new TextDecoder('utf-8', { ignoreBOM: true });
const encoder = /* @__PURE__ */ new TextEncoder();

const SPACE = 0x20;
const QUOTE = 0x22;
const QUESTION_MARK = 0x3f;
const BACKSLASH = 0x5c;
const DELETE = 0x7f;

/** The initial capacity: enough for the name of a type. */
const CAPACITY = 128;

/**
 * TextOutput collects text up to a limit, as bytes: names are copied from the string section without becoming strings.
 * A string that grows in small pieces is a tree of its pieces, which costs several times as much.
 */
export class TextOutput {
  readonly #strings: StringBytes;
  readonly #maxBytes: number;
  #bytes = new Uint8Array(0);
  #length = 0;
  #taken = 0;
  /** The length up to which nothing needs to be checked or grown. */
  #room = 0;

  /** @param maxBytes maximum number of bytes of UTF-8 in total, including those already taken. */
  constructor(strings: StringBytes, maxBytes: number) {
    this.#strings = strings;
    this.#maxBytes = maxBytes;
  }

  /** The number of bytes to take. */
  get length(): number {
    return this.#length;
  }

  /**
   * write appends a text of ASCII characters.
   *
   * @throws BtfFormatError `LIMIT_EXCEEDED` if the whole text becomes too long. The other methods throw it too.
   */
  write(text: string): void {
    const { length } = text;
    const start = this.#length;
    const bytes = this.#reserve(length);
    for (let i = 0; i < length; i++) bytes[start + i] = text.charCodeAt(i);
    this.#length = start + length;
  }

  /** writeName appends the string with an offset in the string section. */
  writeName(offset: number): void {
    const from = this.#strings.section(offset);
    const first = this.#strings.start(offset);
    let last = first;
    while (from[last] !== 0) last += 1;
    const length = last - first;
    const start = this.#length;
    const bytes = this.#reserve(length);
    for (let i = 0; i < length; i++) bytes[start + i] = from[first + i] ?? 0;
    this.#length = start + length;
  }

  /**
   * writeInLine appends the string with an offset in the string section, with `?` in place of control characters, which could end
   * its line. In a literal of C, quotes and backslashes have a backslash before them.
   */
  writeInLine(offset: number, isLiteral: boolean): void {
    const from = this.#strings.section(offset);
    for (let at = this.#strings.start(offset); from[at] !== 0; at++) {
      const byte = from[at] ?? 0;
      if (isLiteral && (byte === QUOTE || byte === BACKSLASH)) this.write('\\');
      const start = this.#length;
      this.#reserve(1)[start] = byte < SPACE || byte === DELETE ? QUESTION_MARK : byte;
      this.#length = start + 1;
    }
  }

  /**
   * writeIdentifier appends the string with an offset in the string section as an identifier of C: with underscores in place
   * of bytes that C does not accept, before a digit at the start, and after a keyword.
   */
  writeIdentifier(offset: number): void {
    const from = this.#strings.section(offset);
    const first = this.#strings.start(offset);
    if (needsUnderscore(from[first] ?? 0)) this.write('_');
    let last = first;
    while (from[last] !== 0) last += 1;
    const length = last - first;
    const start = this.#length;
    const bytes = this.#reserve(length);
    for (let i = 0; i < length; i++) bytes[start + i] = C_BYTES[from[first + i] ?? 0] ?? 0;
    this.#length = start + length;
    if (isKeyword(from, first, last)) this.write('_');
  }

  /** writeText appends any text. */
  writeText(text: string): void {
    const added = encoder.encode(text);
    const start = this.#length;
    this.#reserve(added.length).set(added, start);
    this.#length = start + added.length;
  }

  /** writeNumber appends an integer in decimal. */
  writeNumber(value: number): void {
    if (value < 0) this.write('-');
    let rest = Math.abs(value);
    let count = 1;
    for (let scale = 10; scale <= rest; scale *= 10) count += 1;
    const bytes = this.#reserve(count);
    const start = this.#length;
    for (let at = start + count - 1; at >= start; at--) {
      const digit = rest % 10;
      bytes[at] = 48 + digit;
      rest = (rest - digit) / 10;
    }
    this.#length = start + count;
  }

  /** take returns the text that was written since the last call. */
  take(): string {
    const text = decoder.decode(this.#bytes.subarray(0, this.#length));
    this.#taken += this.#length;
    this.#length = 0;
    this.#room = Math.min(this.#bytes.length, this.#maxBytes - this.#taken);
    return text;
  }

  /** Makes room for more bytes. */
  #reserve(count: number): Uint8Array {
    const length = this.#length + count;
    if (length > this.#room) this.#grow(length);
    return this.#bytes;
  }

  #grow(length: number): void {
    const most = this.#maxBytes - this.#taken;
    if (length > most) {
      throw new BtfFormatError('LIMIT_EXCEEDED', `the text exceeds the limit of ${this.#maxBytes} bytes`);
    }
    const bytes = new Uint8Array(Math.max(length, CAPACITY, this.#bytes.length * 2));
    bytes.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = bytes;
    this.#room = Math.min(bytes.length, most);
  }
}
