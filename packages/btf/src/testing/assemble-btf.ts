import type { ByteOrder } from '../header.js';

/** UNKNOWN_KIND is the number of a kind that this library does not know: the kernel's numbers are far lower. */
export const UNKNOWN_KIND = 122;

/** TypeWords are the words of a type after its name and kind. */
export interface TypeWords {
  readonly vlen?: number;
  readonly kindFlag?: boolean;
  /** The third word. Default: 0. */
  readonly sizeOrTypeId?: number;
  /** The words that follow. A string is replaced by its offset in the string section. */
  readonly data?: readonly (number | string)[];
}

/** HeaderOptions are the options for a BTF's header. The defaults give the 24 bytes of Linux up to 7.0. */
export interface HeaderOptions {
  readonly headerLength?: number;
  /** Entries `[info_sz, elem_sz]` of a layout section, by kind. Needs a header of 32 bytes. */
  readonly layout?: readonly (readonly [number, number])[];
}

/** BtfAssembler writes BTF word by word for tests, without any checks: invalid input gives invalid BTF. */
export class BtfAssembler {
  readonly #order: ByteOrder;
  readonly #stringStart: number;
  readonly #words: number[] = [];
  readonly #encoder = new TextEncoder();
  readonly #strings: number[];

  /** @param stringStart for split BTF, the length of all string sections below; otherwise 0. */
  constructor(order: ByteOrder, stringStart = 0) {
    this.#order = order;
    this.#stringStart = stringStart;
    // Split BTF has the empty string in its base.
    this.#strings = stringStart === 0 ? [0] : [];
  }

  /** The offset at which the strings of BTF split from this one start. */
  get stringEnd(): number {
    return this.#stringStart + this.#strings.length;
  }

  /** Appends a string. The offset of the empty string is always 0. */
  string(text: string): number {
    return text === '' ? 0 : this.rawString(this.#encoder.encode(text));
  }

  /** Appends a string of any bytes. */
  rawString(bytes: Iterable<number>): number {
    const offset = this.stringEnd;
    for (const byte of bytes) this.#strings.push(byte);
    this.#strings.push(0);
    return offset;
  }

  /** Appends a type. A numeric name is an offset. */
  type(kind: number, name: string | number, words: TypeWords = {}): this {
    const { vlen = 0, kindFlag = false, sizeOrTypeId = 0, data = [] } = words;
    this.#push(name);
    this.#push(vlen | (kind << 24) | (kindFlag ? 1 << 31 : 0));
    this.#push(sizeOrTypeId);
    for (const word of data) this.#push(word);
    return this;
  }

  /** Returns everything that was appended as BTF. */
  bytes({ headerLength = 24, layout = [] }: HeaderOptions = {}): Uint8Array {
    const typeLength = this.#words.length * 4;
    const layoutLength = layout.length * 4;
    const bytes = new Uint8Array(headerLength + typeLength + layoutLength + this.#strings.length);
    const view = new DataView(bytes.buffer);
    const little = this.#order === 'little';
    view.setUint16(0, 0xeb9f, little);
    view.setUint8(2, 1);
    const header = [headerLength, 0, typeLength, typeLength + layoutLength, this.#strings.length];
    if (headerLength >= 32) header.push(typeLength, layoutLength);
    for (const [i, word] of header.entries()) view.setUint32(4 + i * 4, word, little);
    for (const [i, word] of this.#words.entries()) view.setUint32(headerLength + i * 4, word, little);
    for (const [kind, sizes] of layout.entries()) bytes.set(sizes, headerLength + typeLength + kind * 4);
    bytes.set(this.#strings, headerLength + typeLength + layoutLength);
    return bytes;
  }

  #push(word: number | string): void {
    this.#words.push((typeof word === 'string' ? this.string(word) : word) >>> 0);
  }
}
