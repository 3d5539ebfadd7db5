import { C_BYTES } from './c-identifiers.js';
import type { StringBytes } from './string-bytes.js';
import type { WorkLimit } from './work-limit.js';

const FIRST_CAPACITY = 1 << 6;

/**
 * NameCounter counts the occurrences of names. Names that are the same identifier in C count as one. It hashes the bytes of
 * the string section: a `Map` of tens of thousands of strings takes five times as long.
 */
export class NameCounter {
  readonly #strings: StringBytes;
  readonly #work: WorkLimit;
  #used = 0;
  /** Open addressing: string offset, hash and count of each name. The count of a free slot is 0. */
  #offsets = new Uint32Array(FIRST_CAPACITY);
  #hashes = new Int32Array(FIRST_CAPACITY);
  #counts = new Uint32Array(FIRST_CAPACITY);

  constructor(strings: StringBytes, work: WorkLimit) {
    this.#strings = strings;
    this.#work = work;
  }

  /** next counts the name at a string offset and returns its number: 1 for a new name. */
  next(offset: number): number {
    const hash = this.#hash(offset);
    const place = this.#find(offset, hash);
    const count = (this.#counts[place] ?? 0) + 1;
    this.#counts[place] = count;
    if (count === 1) {
      this.#offsets[place] = offset;
      this.#hashes[place] = hash;
      this.#used += 1;
      if (this.#used * 2 > this.#counts.length) this.#grow();
    }
    return count;
  }

  #find(offset: number, hash: number): number {
    const mask = this.#counts.length - 1;
    let place = hash & mask;
    while (this.#counts[place] !== 0) {
      const isSameHash = this.#hashes[place] === hash;
      if (isSameHash && this.#strings.sameIdentifier(this.#offsets[place] ?? 0, offset, this.#work))
        return place;
      // Names may be chosen to collide.
      this.#work.stepName();
      place = (place + 1) & mask;
    }
    return place;
  }

  /** FNV-1a. */
  #hash(offset: number): number {
    const bytes = this.#strings.section(offset);
    let hash = 0x811c9dc5;
    let byte = 0;
    for (let i = this.#strings.start(offset); (byte = bytes[i] ?? 0) !== 0; i++) {
      hash = Math.imul(hash ^ (C_BYTES[byte] ?? 0), 0x01000193);
    }
    return hash ^ (hash >>> 15);
  }

  #grow(): void {
    const offsets = this.#offsets;
    const hashes = this.#hashes;
    const counts = this.#counts;
    this.#offsets = new Uint32Array(counts.length * 2);
    this.#hashes = new Int32Array(counts.length * 2);
    this.#counts = new Uint32Array(counts.length * 2);
    const mask = this.#counts.length - 1;
    for (let i = 0; i < counts.length; i++) {
      if (counts[i] === 0) continue;
      let place = (hashes[i] ?? 0) & mask;
      while (this.#counts[place] !== 0) place = (place + 1) & mask;
      this.#offsets[place] = offsets[i] ?? 0;
      this.#hashes[place] = hashes[i] ?? 0;
      this.#counts[place] = counts[i] ?? 0;
    }
  }
}
