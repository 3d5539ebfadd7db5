const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * StringTable is the string section of a BTF, continuing that of its base.
 *
 * An offset may point into the middle of another string: tools share suffixes.
 */
export class StringTable {
  readonly #bytes: Uint8Array;
  readonly #base: StringTable | null;
  /** The offset of the first own string: a split BTF counts on from the end of its base. */
  readonly #start: number;
  /** The offset behind the last own string. */
  readonly end: number;
  #text: string | null = null;

  /** @param bytes the section; its last byte must be NUL unless it is empty. */
  constructor(bytes: Uint8Array, base: StringTable | null) {
    this.#bytes = bytes;
    this.#base = base;
    this.#start = base === null ? 0 : base.end;
    this.end = this.#start + bytes.length;
  }

  /**
   * get returns the string at an offset, or undefined where the offset lies outside of the sections.
   * Bytes that are no UTF-8 read as U+FFFD.
   */
  get(offset: number): string | undefined {
    if (offset >= this.end) return undefined;
    if (offset < this.#start) return this.#base?.get(offset);
    const from = offset - this.#start;
    const text = (this.#text ??= wholeText(this.#bytes));
    if (text !== '') return text.slice(from, text.indexOf('\0', from));
    return decoder.decode(this.#bytes.subarray(from, this.#bytes.indexOf(0, from)));
  }

  /** equals tells whether the string at an offset has exactly these bytes, which must hold no NUL. */
  equals(offset: number, name: Uint8Array): boolean {
    if (offset >= this.end) return false;
    if (offset < this.#start) return this.#base !== null && this.#base.equals(offset, name);
    const bytes = this.#bytes;
    const from = offset - this.#start;
    if (bytes[from + name.length] !== 0) return false;
    for (let i = 0; i < name.length; i++) {
      if (bytes[from + i] !== name[i]) return false;
    }
    return true;
  }
}

/**
 * wholeText decodes all strings at once, which makes each a slice of one text: ten times faster than to
 * decode each. Only where every byte became one character do offsets still hold, otherwise it returns ''.
 */
function wholeText(bytes: Uint8Array): string {
  const text = decoder.decode(bytes);
  return text.length === bytes.length ? text : '';
}
