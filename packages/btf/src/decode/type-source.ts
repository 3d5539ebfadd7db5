import type { StringTable } from '../strings.js';
import type { TypeId } from '../types.js';
import type { Words } from '../words.js';

/** TypeSource is the type section and the strings that its types name. `at` counts from the section's start. */
export class TypeSource {
  readonly words: Words;
  readonly strings: StringTable;
  /** The section's own bytes. */
  readonly bytes: Uint8Array;
  readonly #sectionOffset: number;

  constructor(words: Words, strings: StringTable, bytes: Uint8Array, sectionOffset: number) {
    this.words = words;
    this.strings = strings;
    this.bytes = bytes;
    this.#sectionOffset = sectionOffset;
  }

  /**
   * name reads the string whose offset is the word at `at`.
   *
   * @throws BtfFormatError `MALFORMED` when that offset is outside of the string section, `LIMIT_EXCEEDED`.
   */
  name(at: number, typeId: TypeId): string {
    const offset = this.words.u32(at);
    return offset === 0 ? '' : this.strings.get(offset, this.#sectionOffset + at, typeId);
  }
}
