import { BtfFormatError } from '../format-error.js';
import { parseHeader } from '../header.js';
import type { Spec } from '../spec.js';
import { C_BYTES } from './c-identifiers.js';
import type { WorkLimit } from './work-limit.js';

/** STEP_BYTES is the number of bytes of a name that take about as long as a step of a {@link WorkLimit}. */
export const STEP_BYTES = 64;

/** StringBytes reads the string sections of a Spec and of its bases byte by byte. */
export class StringBytes {
  #bytes: Uint8Array;
  readonly #base: StringBytes | null;
  /** The offset of the first own string: split BTF continues the offsets of its base. */
  readonly #first: number;
  #end: number;

  constructor(spec: Spec) {
    const { strings } = parseHeader(spec.bytes);
    this.#bytes = spec.bytes.subarray(strings.offset, strings.offset + strings.length);
    this.#base = spec.base === null ? null : new StringBytes(spec.base);
    this.#first = this.#base === null ? 0 : this.#base.#end;
    this.#end = this.#first + this.#bytes.length;
  }

  /** append adds a string, which the spec does not have. Nothing must continue this spec. @returns its offset. */
  append(string: Uint8Array): number {
    const offset = this.#end;
    const at = offset - this.#first;
    const length = at + string.length + 1;
    if (length > this.#bytes.length) {
      const longer = new Uint8Array(length * 2);
      longer.set(this.#bytes);
      this.#bytes = longer;
    }
    this.#bytes.set(string, at);
    this.#end += string.length + 1;
    return offset;
  }

  /**
   * section returns the string section that contains the string with an offset.
   *
   * @throws BtfFormatError `MALFORMED` for an offset after the last string.
   */
  section(offset: number): Uint8Array {
    if (offset < this.#first && this.#base !== null) return this.#base.section(offset);
    if (offset < this.#end) return this.#bytes;
    throw new BtfFormatError('MALFORMED', `string offset ${offset} is after the end of the string section`);
  }

  /** start returns the index in its {@link section} at which the string with an offset starts. It ends at NUL. */
  start(offset: number): number {
    if (offset < this.#first && this.#base !== null) return this.#base.start(offset);
    return offset - this.#first;
  }

  /** text returns the string at an offset, with a character for each byte; only its beginning if it is longer than `most`. */
  text(offset: number, most: number): string {
    const bytes = this.section(offset);
    const start = this.start(offset);
    let text = '';
    let byte = 0;
    for (let i = start; i < start + most && (byte = bytes[i] ?? 0) !== 0; i++)
      text += String.fromCharCode(byte);
    return text;
  }

  /** equals reports whether the string at an offset equals a text of ASCII characters. */
  equals(offset: number, text: string): boolean {
    const bytes = this.section(offset);
    const start = this.start(offset);
    for (let i = 0; i < text.length; i++) if (bytes[start + i] !== text.charCodeAt(i)) return false;
    return bytes[start + text.length] === 0;
  }

  /**
   * compare returns a negative number, 0 or a positive one, as C compares the strings at two offsets. Long parts that are
   * equal count as work: many names may be suffixes of one endless string.
   */
  compare(a: number, b: number, work: WorkLimit): number {
    const bytesA = this.section(a);
    const bytesB = this.section(b);
    const start = this.start(a);
    let i = start;
    let j = this.start(b);
    let difference = 0;
    for (; (difference = (bytesA[i] ?? 0) - (bytesB[j] ?? 0)) === 0 && bytesA[i] !== 0; i++) {
      j++;
      if ((i - start) % STEP_BYTES === STEP_BYTES - 1) work.stepName();
    }
    return difference;
  }

  /**
   * sameIdentifier reports whether the identifiers of C for the strings at two offsets are equal. Long parts that are equal
   * count as work, as in {@link compare}.
   */
  sameIdentifier(a: number, b: number, work: WorkLimit): boolean {
    if (a === b) return true;
    const bytesA = this.section(a);
    const bytesB = this.section(b);
    const start = this.start(a);
    let i = start;
    let j = this.start(b);
    for (; C_BYTES[bytesA[i] ?? 0] === C_BYTES[bytesB[j] ?? 0]; i++, j++) {
      if (bytesA[i] === 0) return true;
      if ((i - start) % STEP_BYTES === STEP_BYTES - 1) work.stepName();
    }
    return false;
  }
}
