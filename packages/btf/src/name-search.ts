import { NameIndex } from './name-index.js';
import type { StringTable } from './strings.js';
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
   * find calls `found` with the index in `offsets` of each type that has a name, in ascending order.
   *
   * @param name the name's bytes, without NUL; empty for anonymous types.
   */
  find(name: Uint8Array, found: (index: number) => void): void {
    const words = this.#words;
    const offsets = this.#offsets;
    const strings = this.#strings;
    const compared = name.length <= SHORT ? null : comparedOnce(strings, name);
    const compare = (index: number): void => {
      const at = words.u32(offsets[index] ?? 0);
      if (!strings.mayEqual(at, name)) return;
      if (compared === null ? strings.equals(at, name) : compared(at)) found(index);
    };
    const index = name.length === 0 ? null : this.#indexAfter();
    if (index !== null) index.visit(name, compare);
    else for (let type = 0; type < offsets.length; type++) compare(type);
  }

  #indexAfter(): NameIndex | null {
    this.#searches += 1;
    if (this.#searches <= INDEX_AFTER) return null;
    this.#index ??= new NameIndex(this.#words, this.#offsets, this.#strings);
    return this.#index;
  }
}

/** Many types may share a few long strings: comparing each string once bounds the work by their length. */
function comparedOnce(strings: StringTable, name: Uint8Array): (at: number) => boolean {
  const compared = new Map<number, boolean>();
  return (at) => {
    const equal = compared.get(at) ?? strings.equals(at, name);
    compared.set(at, equal);
    return equal;
  };
}
