import { NameIndex } from './name-index.js';
import { hashText, type StringTable } from './strings.js';
import type { TypeId } from './types.js';
import type { Words } from './words.js';

/** A name up to this length is compared again for each type. */
const SHORT = 64;

/** Number of searches over all names before an index is built. The index costs about as much as three more of them. */
const INDEX_AFTER = 4;

/**
 * NameSearch finds the types of a BTF with a given name. The first four searches are one pass over the name offsets,
 * which needs no memory. Later ones use a {@link NameIndex}.
 */
export class NameSearch {
  readonly #words: Words;
  readonly #offsets: Uint32Array;
  readonly #strings: StringTable;
  #searches = 0;
  #index: NameIndex | null = null;

  /** @param offsets where the types start in `words`. */
  constructor(words: Words, offsets: Uint32Array, strings: StringTable) {
    this.#words = words;
    this.#offsets = offsets;
    this.#strings = strings;
  }

  /**
   * find adds the ids of all types that have a name to `ids`, in ascending order. It returns null if there are none. Most
   * searches find one: an array of one takes a fifth of the memory of one that grew.
   *
   * @param name the name's bytes, without NUL; empty for anonymous types.
   * @param firstId the id of the first type.
   */
  find(name: Uint8Array, firstId: TypeId, ids: TypeId[] | null): TypeId[] | null {
    const compared = name.length <= SHORT ? null : new Map<number, boolean>();
    const index = name.length === 0 ? null : this.#indexAfter();
    const hash = index === null ? 0 : hashText(name, 0);
    const end = index === null ? this.#offsets.length : index.end(hash);
    let found = ids;
    for (let at = index === null ? 0 : index.start(hash); at < end; at++) {
      const type = index === null ? at : index.typeAt(at, hash);
      if (type < 0 || !this.#has(type, name, compared)) continue;
      if (found === null) found = [firstId + type];
      else found.push(firstId + type);
    }
    return found;
  }

  /** @param compared results for long names: many types may share a few of them, and each is compared once. */
  #has(type: number, name: Uint8Array, compared: Map<number, boolean> | null): boolean {
    const at = this.#words.u32(this.#offsets[type] ?? 0);
    if (!this.#strings.mayEqual(at, name)) return false;
    if (compared === null) return this.#strings.equals(at, name);
    const equal = compared.get(at) ?? this.#strings.equals(at, name);
    compared.set(at, equal);
    return equal;
  }

  /** buildIndex builds the index if there is none yet. */
  buildIndex(): NameIndex {
    this.#index ??= new NameIndex(this.#words, this.#offsets, this.#strings);
    return this.#index;
  }

  #indexAfter(): NameIndex | null {
    this.#searches += 1;
    return this.#index !== null || this.#searches > INDEX_AFTER ? this.buildIndex() : null;
  }
}
