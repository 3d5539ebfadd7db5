import { BtfFormatError } from '../format-error.js';
import type { StringTable } from '../strings.js';

/** Names of sections are shorter, and an access has at most 64 indexes of ten digits. */
const LONGEST_WHOLE = 1024;

const decoder = /* @__PURE__ */ new TextDecoder();

/**
 * ExtStrings reads the strings that `.BTF.ext` refers to, which are in `.BTF`. Many records may refer to the end of one
 * long string, so none is read beyond its use.
 */
export class ExtStrings {
  readonly #table: StringTable;
  /** The whole strings that were read. Records share them. */
  readonly #read = new Map<number, string>();

  constructor(table: StringTable) {
    this.#table = table;
  }

  /**
   * whole returns a string.
   *
   * @param place where the offset was read, for errors.
   * @throws BtfFormatError `MALFORMED` if the offset lies outside the string section.
   * @throws BtfFormatError `LIMIT_EXCEEDED` if the string has more than 1,024 bytes.
   */
  whole(offset: number, place: number): string {
    const known = this.#read.get(offset);
    if (known !== undefined) return known;
    this.check(offset, place);
    const text = this.start(offset, LONGEST_WHOLE + 1);
    if (text.length > LONGEST_WHOLE) {
      const message = `string at ${offset} is longer than the limit of ${LONGEST_WHOLE} bytes`;
      throw new BtfFormatError('LIMIT_EXCEEDED', message, { offset: place });
    }
    this.#read.set(offset, text);
    return text;
  }

  /** start returns a string, or as many bytes from its start as are asked for. The offset must have been checked. */
  start(offset: number, longest: number): string {
    const bytes: number[] = [];
    for (let at = offset; bytes.length < longest; at++) {
      const byte = this.#table.byteAt(at);
      if (byte === 0) break;
      bytes.push(byte);
    }
    return decoder.decode(Uint8Array.from(bytes));
  }

  /** @throws BtfFormatError `MALFORMED` if an offset lies outside the string section. */
  check(offset: number, place: number): void {
    if (offset < this.#table.end) return;
    const message = `string offset ${offset} is after the end of the string section at ${this.#table.end}`;
    throw new BtfFormatError('MALFORMED', message, { offset: place });
  }
}
