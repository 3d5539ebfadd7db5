import { HASH_SEED, withRoom } from '../words.js';

/**
 * OffsetNumbers has a number for each of many offsets in a string section. It is a hash table in typed arrays: a `Map`
 * takes three times the memory and time.
 */
export class OffsetNumbers {
  #offsets: Int32Array = new Int32Array(32);
  #table: Int32Array | null = null;
  #numbers: Int32Array = new Int32Array(32);
  /** Open addressing: 0 is free, otherwise the index of an entry + 1. */
  #slots = new Int32Array(64);
  #count = 0;

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /**
   * The numbers + 1 by offset, which are found sooner than entries by hash; null unless most offsets are expected. 0 and
   * less is for offsets without a number.
   */
  get table(): Int32Array | null {
    return this.#table;
  }

  /** useTable makes the table, for offsets before `end`. It must be called before any is added. */
  useTable(end: number): Int32Array {
    this.#table = new Int32Array(end);
    return this.#table;
  }

  /** get returns the number of an offset; -1 if there is none. */
  get(offset: number): number {
    if (this.#table !== null) return Math.max(this.#table[offset] ?? 0, 0) - 1;
    const entry = (this.#slots[this.#slotOf(offset | 0)] ?? 0) - 1;
    return entry < 0 ? -1 : (this.#numbers[entry] ?? 0);
  }

  /** add sets the number of an offset that has none. */
  add(offset: number, number: number): void {
    this.#offsets = withRoom(this.#offsets, this.#count + 1);
    this.#numbers = withRoom(this.#numbers, this.#count + 1);
    this.#offsets[this.#count] = offset;
    this.#numbers[this.#count] = number;
    this.#count += 1;
    if (this.#table !== null) this.#table[offset] = number + 1;
    else if (this.#count * 2 > this.#slots.length) this.#rehash();
    else this.#slots[this.#slotOf(offset | 0)] = this.#count;
  }

  /** visit calls `visit` with each number and its offset, in the order in which they were added. */
  visit(visit: (number: number, offset: number) => void): void {
    for (let entry = 0; entry < this.#count; entry++) {
      visit(this.#numbers[entry] ?? 0, (this.#offsets[entry] ?? 0) >>> 0);
    }
  }

  /** Returns the slot of an offset, or the free one where it belongs. */
  #slotOf(offset: number): number {
    const mask = this.#slots.length - 1;
    const hash = Math.imul(offset, HASH_SEED);
    for (let at = (hash ^ (hash >>> 15)) & mask; ; at = (at + 1) & mask) {
      const entry = (this.#slots[at] ?? 0) - 1;
      if (entry < 0 || this.#offsets[entry] === offset) return at;
    }
  }

  #rehash(): void {
    this.#slots = new Int32Array(this.#slots.length * 2);
    for (let entry = 0; entry < this.#count; entry++) {
      this.#slots[this.#slotOf(this.#offsets[entry] ?? 0)] = entry + 1;
    }
  }
}
