import { BtfFormatError } from '../format-error.js';
import type { StringTable } from '../strings.js';
import type { TypeId } from '../types.js';
import type { Words } from '../words.js';

/**
 * Most characters of names that the elements of one type have in all: four times the largest BTF that the kernel takes.
 * They may share one long name, so that a type of a megabyte would else decode, or print, as gigabytes.
 */
const MAX_ELEMENT_NAMES = 64 * 1024 * 1024;

/** TypeSource is the type section and the strings that its types name. `at` counts from the section's start. */
export class TypeSource {
  readonly words: Words;
  readonly strings: StringTable;
  /** The section's own bytes. */
  readonly bytes: Uint8Array;
  readonly #sectionOffset: number;
  /** What names of elements may still take in the type that is decoded. */
  #left = 0;

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

  /** startElements begins the count of what {@link elementName} gives, which has a bound for each type. */
  startElements(): void {
    this.#left = MAX_ELEMENT_NAMES;
  }

  /**
   * elementName is {@link name} of a member, a value or a parameter.
   *
   * @throws BtfFormatError as there; `LIMIT_EXCEEDED` when the names of one type add up to too much.
   */
  elementName(at: number, typeId: TypeId): string {
    const name = this.name(at, typeId);
    this.#left -= name.length;
    if (this.#left >= 0) return name;
    const message = `names in the type add up to more than ${MAX_ELEMENT_NAMES} characters`;
    throw new BtfFormatError('LIMIT_EXCEEDED', message, { typeId, offset: this.#sectionOffset + at });
  }
}
