import { BtfFormatError } from '../format-error.js';
import type { StringTable, TextSpan } from '../strings.js';
import type { TypeId } from '../types.js';
import type { Words } from '../words.js';

/**
 * Maximum number of characters in the names of one type's elements: four times the size of the largest BTF that the
 * kernel accepts. Elements may share one long name, so a type of a megabyte could otherwise decode or print as
 * gigabytes.
 */
const MAX_ELEMENT_NAMES = 64 * 1024 * 1024;

/** TypeSource is a type section and the strings that its types refer to. `at` counts from the start of the section. */
export class TypeSource {
  readonly words: Words;
  readonly strings: StringTable;
  /** The section's own bytes. */
  readonly bytes: Uint8Array;
  readonly #sectionOffset: number;
  /** Characters that are left for names of elements in the type that is decoded. */
  #left = 0;

  constructor(words: Words, strings: StringTable, bytes: Uint8Array, sectionOffset: number) {
    this.words = words;
    this.strings = strings;
    this.bytes = bytes;
    this.#sectionOffset = sectionOffset;
  }

  /**
   * name returns the string whose offset is the word at `at`.
   *
   * @throws BtfFormatError `MALFORMED` if the offset lies outside the string section.
   * @throws BtfFormatError `LIMIT_EXCEEDED` if the string is too long.
   */
  name(at: number, typeId: TypeId): string {
    const offset = this.words.u32(at);
    return offset === 0 ? '' : this.strings.get(offset, this.#sectionOffset + at, typeId);
  }

  /** startElements resets the limit on the names that {@link elementName} returns, which is per type. */
  startElements(): void {
    this.#left = MAX_ELEMENT_NAMES;
  }

  /**
   * elementName is {@link name} for a member, a value or a parameter.
   *
   * @throws BtfReadError as {@link name} does.
   * @throws BtfFormatError `LIMIT_EXCEEDED` if the names of one type add up to too much.
   */
  elementName(at: number, typeId: TypeId): string {
    const name = this.name(at, typeId);
    this.#countElement(name.length, at, typeId);
    return name;
  }

  /**
   * findName is {@link name} for bytes: it sets `span` to those of the name.
   *
   * @throws BtfReadError as {@link name} does.
   */
  findName(at: number, typeId: TypeId, span: TextSpan): void {
    const offset = this.words.u32(at);
    if (offset !== 0) this.strings.find(offset, this.#sectionOffset + at, typeId, span);
    else span.to = span.from;
  }

  /**
   * findElementName is {@link elementName} for bytes: it sets `span` to those of the name.
   *
   * @throws BtfReadError as {@link elementName} does.
   */
  findElementName(at: number, typeId: TypeId, span: TextSpan): void {
    this.findName(at, typeId, span);
    this.#countElement(span.to - span.from, at, typeId);
  }

  #countElement(length: number, at: number, typeId: TypeId): void {
    this.#left -= length;
    if (this.#left >= 0) return;
    const message = `names in the type add up to more than ${MAX_ELEMENT_NAMES} characters`;
    throw new BtfFormatError('LIMIT_EXCEEDED', message, { typeId, offset: this.#sectionOffset + at });
  }
}
