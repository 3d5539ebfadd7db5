import { wordCount } from '../kind-words.js';
import { DEFAULT_PARSE_LIMITS } from '../limits.js';
import type { TypeId } from '../types.js';
import { kindOfInfo, withRoom } from '../words.js';
import { BtfBuildError } from './build-error.js';

/** Maximum number of types and words in a table: the result must be small enough to be parsed again. */
const MAX_TYPES = DEFAULT_PARSE_LIMITS.types;
const MAX_WORDS = DEFAULT_PARSE_LIMITS.bytes / 4;

/**
 * TypeTable stores types as the words of the format in the machine's byte order, with the number of a string of a
 * `StringPool` in place of each name's offset.
 */
export class TypeTable {
  /** The words of all types. Additions may replace the array. */
  words: Int32Array = new Int32Array(1024);
  /** The id of the first type: 1, or the end of a base, whose types are not in the table. */
  readonly firstTypeId: TypeId;
  #offsets: Int32Array = new Int32Array(256).fill(-1);
  #used = 0;
  #count = 0;

  constructor(firstTypeId: TypeId = 1) {
    this.firstTypeId = firstTypeId;
  }

  /** The number of types, with reserved ones. */
  get count(): number {
    return this.#count;
  }

  /** The first id that is too large. */
  get endTypeId(): TypeId {
    return this.firstTypeId + this.#count;
  }

  /** The number of words of all types. */
  get wordLength(): number {
    return this.#used;
  }

  /** offset returns where a type starts in {@link words}; -1 if its id is only reserved, or belongs to a base. */
  offset(id: TypeId): number {
    return this.#offsets[id - this.firstTypeId] ?? -1;
  }

  /** kind returns the kind of a type; 0 for void, for a reserved id, and for a type of a base. */
  kind(id: TypeId): number {
    const offset = this.offset(id);
    return offset < 0 ? 0 : kindOfInfo(this.words[offset + 1] ?? 0);
  }

  /** makeRoom makes room for more types and words at once: growing step by step takes and copies twice the memory. */
  makeRoom(types: number, words: number): void {
    this.#offsets = withRoom(this.#offsets, this.#count + types);
    this.words = withRoom(this.words, Math.min(this.#used + words, MAX_WORDS));
  }

  /**
   * reserve returns the next id, without a type.
   *
   * @throws BtfBuildError `LIMIT_EXCEEDED` for too many types.
   */
  reserve(): TypeId {
    const id = this.endTypeId;
    if (id > MAX_TYPES) throw tooManyTypes();
    this.#offsets = withRoom(this.#offsets, this.#count + 1);
    this.#offsets[this.#count] = -1;
    this.#count += 1;
    return id;
  }

  /**
   * define sets the type of a reserved id.
   *
   * @param source the words of the type, from `start` on.
   * @throws BtfBuildError `LIMIT_EXCEEDED` for too many words.
   */
  define(id: TypeId, source: Int32Array, start: number): void {
    const length = wordCount(source[start + 1] ?? 0);
    if (this.#used + length > MAX_WORDS) throw tooManyWords(id);
    const target = withRoom(this.words, this.#used + length);
    for (let i = 0; i < length; i++) target[this.#used + i] = source[start + i] ?? 0;
    this.words = target;
    this.#offsets[id - this.firstTypeId] = this.#used;
    this.#used += length;
  }

  /**
   * appendAll adds types with the next ids. It keeps the arrays if the table is empty.
   *
   * @param words the words of the types, one type after the other.
   * @param offsets where each type starts in `words`.
   * @throws BtfBuildError `LIMIT_EXCEEDED` for too many types or words. Then it adds none.
   */
  appendAll(words: Int32Array, offsets: Int32Array): void {
    const [from, count] = [this.#used, this.#count];
    if (this.endTypeId + offsets.length - 1 > MAX_TYPES) throw tooManyTypes();
    if (from + words.length > MAX_WORDS) throw tooManyWords();
    this.#used += words.length;
    this.#count += offsets.length;
    if (count === 0) {
      this.words = words;
      this.#offsets = offsets;
      return;
    }
    this.words = withRoom(this.words, this.#used);
    this.#offsets = withRoom(this.#offsets, this.#count);
    this.words.set(words, from);
    for (let i = 0; i < offsets.length; i++) this.#offsets[count + i] = from + (offsets[i] ?? 0);
  }

  /** append adds a type with the next id. See {@link define}. */
  append(source: Int32Array, start: number): TypeId {
    const id = this.reserve();
    this.define(id, source, start);
    return id;
  }
}

function tooManyTypes(): BtfBuildError {
  return new BtfBuildError('LIMIT_EXCEEDED', `more than ${MAX_TYPES} types`);
}

function tooManyWords(typeId?: TypeId): BtfBuildError {
  return new BtfBuildError('LIMIT_EXCEEDED', `types of more than ${MAX_WORDS * 4} bytes`, { typeId });
}
