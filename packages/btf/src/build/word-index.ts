import { wordCount } from '../kind-words.js';
import type { TypeId } from '../types.js';
import { HASH_SEED, mixHash } from '../words.js';
import type { TypeTable } from './type-table.js';

/** hashWords hashes all words of a type. */
export function hashWords(words: Int32Array, start: number): number {
  const end = start + wordCount(words[start + 1] ?? 0);
  let hash = HASH_SEED;
  for (let at = start; at < end; at++) hash = mixHash(hash, words[at] ?? 0);
  return hash;
}

/** WordIndex finds types of a table by their words: types with equal words, ids included, are equal. */
export class WordIndex {
  readonly #table: TypeTable;
  /** Open addressing: 0 is free, otherwise an id. */
  #slots = new Int32Array(256);
  #count = 0;

  constructor(table: TypeTable) {
    this.#table = table;
  }

  /** find returns the id of a type with the same words; 0 if there is none. */
  find(words: Int32Array, start: number): TypeId {
    const mask = this.#slots.length - 1;
    for (let at = hashWords(words, start) & mask; ; at = (at + 1) & mask) {
      const id = this.#slots[at] ?? 0;
      if (id === 0 || this.#equals(id, words, start)) return id;
    }
  }

  /** add enters a type, whose words must not change afterwards. */
  add(id: TypeId): void {
    this.#count += 1;
    if (this.#count * 2 > this.#slots.length) this.#grow();
    this.#insert(id);
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = new Int32Array(old.length * 2);
    for (const id of old) if (id !== 0) this.#insert(id);
  }

  #insert(id: TypeId): void {
    const mask = this.#slots.length - 1;
    let at = hashWords(this.#table.words, this.#table.offset(id)) & mask;
    while (this.#slots[at] !== 0) at = (at + 1) & mask;
    this.#slots[at] = id;
  }

  #equals(id: TypeId, words: Int32Array, start: number): boolean {
    const own = this.#table.words;
    const offset = this.#table.offset(id);
    const length = wordCount(words[start + 1] ?? 0);
    // The second word is the info: types of equal info have equal lengths.
    for (let i = 0; i < length; i++) if (own[offset + i] !== words[start + i]) return false;
    return true;
  }
}
