import { NameIndex } from './name-index.js';
import { hashText, type StringTable } from './strings.js';
import type { TypeId } from './types.js';
import { RUN, type Words } from './words.js';

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
    let found = ids;
    if (index === null) {
      for (let first = 0; first < this.#offsets.length; first += RUN) {
        found = this.#scan(first, name, compared, firstId, found);
      }
      return found;
    }
    const hash = hashText(name, 0);
    const end = index.end(hash);
    for (let entry = index.start(hash); entry < end; entry++) {
      const type = index.typeAt(entry, hash);
      if (type < 0) continue;
      const at = this.#words.u32(this.#offsets[type] ?? 0);
      if (this.#strings.mayEqual(at, name) && this.#equals(at, name, compared)) {
        found = withId(found, firstId + type);
      }
    }
    return found;
  }

  /** Compares the names of some types. See {@link RUN}. */
  #scan(
    first: number,
    name: Uint8Array,
    compared: Map<number, boolean> | null,
    firstId: TypeId,
    ids: TypeId[] | null,
  ): TypeId[] | null {
    const words = this.#words;
    const offsets = this.#offsets;
    const strings = this.#strings;
    const end = Math.min(first + RUN, offsets.length);
    let found = ids;
    for (let type = first; type < end; type++) {
      const at = words.u32(offsets[type] ?? 0);
      if (strings.mayEqual(at, name) && this.#equals(at, name, compared))
        found = withId(found, firstId + type);
    }
    return found;
  }

  /** @param compared results for long names: many types may share a few of them, and each is compared once. */
  #equals(at: number, name: Uint8Array, compared: Map<number, boolean> | null): boolean {
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

function withId(ids: TypeId[] | null, id: TypeId): TypeId[] {
  if (ids === null) return [id];
  ids.push(id);
  return ids;
}
