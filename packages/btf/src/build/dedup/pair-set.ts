import { HASH_SEED, mixHash } from '../../words.js';

const INITIAL_SLOTS = 1 << 10;
/** A full set forgets its pairs: 16 MiB, which no kernel needs. */
const MAX_PAIRS = 1 << 20;

/**
 * PairSet remembers pairs of types, of which the first is not void. It is a memory, not a record: when it is full, it
 * starts again.
 */
export class PairSet {
  /** Open addressing: two words for each slot. A slot is free if its first word is 0. */
  #slots = new Int32Array(INITIAL_SLOTS * 2);
  #count = 0;

  has(first: number, second: number): boolean {
    return this.#slots[this.#find(first, second)] !== 0;
  }

  add(first: number, second: number): void {
    const at = this.#find(first, second);
    if (this.#slots[at] !== 0) return;
    this.#slots[at] = first;
    this.#slots[at + 1] = second;
    this.#count += 1;
    if (this.#count === MAX_PAIRS) this.clear();
    else if (this.#count * 4 > this.#slots.length) this.#grow();
  }

  clear(): void {
    if (this.#slots.length > INITIAL_SLOTS * 2) this.#slots = new Int32Array(INITIAL_SLOTS * 2);
    else if (this.#count > 0) this.#slots.fill(0);
    this.#count = 0;
  }

  /** The slot of a pair, or the free one where it belongs. */
  #find(first: number, second: number): number {
    const slots = this.#slots;
    const mask = slots.length - 2;
    let at = (mixHash(mixHash(HASH_SEED, first), second) << 1) & mask;
    while (slots[at] !== 0 && (slots[at] !== first || slots[at + 1] !== second)) at = (at + 2) & mask;
    return at;
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = new Int32Array(old.length * 2);
    for (let from = 0; from < old.length; from += 2) {
      if (old[from] === 0) continue;
      const at = this.#find(old[from] ?? 0, old[from + 1] ?? 0);
      this.#slots[at] = old[from] ?? 0;
      this.#slots[at + 1] = old[from + 1] ?? 0;
    }
  }
}
