import { Builder } from '@btfd/btf';

const HEADER_BYTES = 32;

/** TypeWords are the words of a type after its name and kind. A string stands for its offset. */
export interface TypeWords {
  readonly vlen?: number;
  readonly kindFlag?: boolean;
  /** The third word. */
  readonly sizeOrTypeId?: number;
  readonly data?: readonly (number | string)[];
}

/** BtfWriter writes BTF word by word, independently of the library, by the documentation of the format. */
export class BtfWriter {
  readonly #words: number[] = [];
  readonly #strings: Buffer[];
  readonly #offsets = new Map<string, number>();
  readonly #stringStart: number;
  readonly #firstId: number;
  #end: number;
  #types = 0;

  /** @param base the BTF that split BTF continues. */
  constructor(base: BtfWriter | null = null) {
    this.#strings = base === null ? [Buffer.from('\0')] : [];
    this.#end = base === null ? 1 : base.#end;
    this.#stringStart = base === null ? 0 : base.#end;
    this.#firstId = base === null ? 1 : base.nextId;
  }

  /** The id of the next type. */
  get nextId(): number {
    return this.#firstId + this.#types;
  }

  type(kind: number, name: string, words: TypeWords = {}): this {
    const { vlen = 0, kindFlag = false, sizeOrTypeId = 0, data = [] } = words;
    this.#types += 1;
    this.#words.push(this.string(name), (vlen | (kind << 24) | (kindFlag ? 1 << 31 : 0)) >>> 0, sizeOrTypeId);
    for (const word of data) this.#words.push(typeof word === 'string' ? this.string(word) : word >>> 0);
    return this;
  }

  /** string returns the offset of a string. Equal strings share one offset. */
  string(text: string): number {
    if (text === '') return 0;
    const known = this.#offsets.get(text);
    if (known !== undefined) return known;
    const bytes = Buffer.from(`${text}\0`);
    const offset = this.#end;
    this.#strings.push(bytes);
    this.#offsets.set(text, offset);
    this.#end += bytes.length;
    return offset;
  }

  /** @param layout entries `[info_sz, elem_sz]` by kind, for unknown kinds. */
  bytes(layout: readonly (readonly [number, number])[] = []): Uint8Array {
    const typeBytes = this.#words.length * 4;
    const layoutBytes = layout.length * 4;
    const stringBytes = this.#end - this.#stringStart;
    const bytes = new Uint8Array(HEADER_BYTES + typeBytes + layoutBytes + stringBytes);
    const view = new DataView(bytes.buffer);
    view.setUint16(0, 0xeb9f, true);
    view.setUint8(2, 1);
    const header = [HEADER_BYTES, 0, typeBytes, typeBytes + layoutBytes, stringBytes, typeBytes, layoutBytes];
    for (const [index, word] of header.entries()) view.setUint32(4 + 4 * index, word, true);
    for (const [index, word] of this.#words.entries()) view.setUint32(HEADER_BYTES + 4 * index, word, true);
    for (const [kind, sizes] of layout.entries()) bytes.set(sizes, HEADER_BYTES + typeBytes + 4 * kind);
    bytes.set(Buffer.concat(this.#strings), HEADER_BYTES + typeBytes + layoutBytes);
    return bytes;
  }
}

/** intBtf returns BTF with one INT. */
export function intBtf(name = 'int'): Uint8Array {
  return new BtfWriter().type(1, name, { sizeOrTypeId: 4, data: [32] }).bytes();
}

/** vmlinuxAndModule returns BTF with an INT, and split BTF with a PTR to this INT. */
export function vmlinuxAndModule(): { readonly vmlinux: Uint8Array; readonly module: Uint8Array } {
  const base = new BtfWriter().type(1, 'int', { sizeOrTypeId: 4, data: [32] });
  const split = new BtfWriter(base).type(2, '', { sizeOrTypeId: 1 }).type(8, 'mod_t', { sizeOrTypeId: 2 });
  return { vmlinux: base.bytes(), module: split.bytes() };
}

/** largeBtf returns some megabytes of BTF, more than the buffers on its way hold. */
export function largeBtf(): Uint8Array {
  const builder = new Builder({ deduplicate: false });
  for (let index = 0; index < 200_000; index++) {
    builder.add({ kind: 'INT', name: 'int', size: 4, encoding: 0, bits: 32, bitOffset: 0 });
  }
  return builder.marshal();
}
