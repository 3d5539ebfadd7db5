import type { StringTable } from './strings.js';
import type { Words } from './words.js';

/**
 * NameIndex narrows down which types can have a name. It is a hash table over the names of all types, in two typed
 * arrays that take at most eight bytes for each type. It leaves out anonymous types.
 *
 * Names are compared by their bytes, not by their offsets: equal names may lie in different places, also at the end of
 * longer strings.
 */
export class NameIndex {
  /** Where the entries of each bucket start, with one more than there are buckets. */
  readonly #starts: Uint32Array;
  /**
   * Entries bucket by bucket, in ascending order of types within each. The low bits are the index of a type in
   * `offsets`. The others are those of the hash: reading a name that differs costs more than all else.
   */
  readonly #entries: Int32Array;
  readonly #indexMask: number;
  /** @param offsets where the types start in `words`. */
  constructor(words: Words, offsets: Uint32Array, strings: StringTable) {
    const count = offsets.length;
    const buckets = bucketsFor(count);
    const indexMask = 2 ** (32 - Math.clz32(count)) - 1;
    const hashes = new Int32Array(count);
    const starts = new Uint32Array(buckets + 1);
    for (let index = 0; index < count; index++) {
      const hash = strings.hash(words.u32(offsets[index] ?? 0));
      if (hash === 0) continue;
      hashes[index] = hash;
      const next = (hash & (buckets - 1)) + 1;
      starts[next] = (starts[next] ?? 0) + 1;
    }
    for (let bucket = 0; bucket < buckets; bucket++) {
      starts[bucket + 1] = (starts[bucket + 1] ?? 0) + (starts[bucket] ?? 0);
    }
    const entries = new Int32Array(starts[buckets] ?? 0);
    const ends = starts.slice();
    for (let index = 0; index < count; index++) {
      const hash = hashes[index] ?? 0;
      if (hash === 0) continue;
      const bucket = hash & (buckets - 1);
      const end = ends[bucket] ?? 0;
      entries[end] = index | (hash & ~indexMask);
      ends[bucket] = end + 1;
    }
    this.#starts = starts;
    this.#entries = entries;
    this.#indexMask = indexMask;
  }

  /** The first entry of the bucket for a hash of {@link hashText}. */
  start(hash: number): number {
    return this.#starts[hash & (this.#starts.length - 2)] ?? 0;
  }

  /** The first entry after the bucket for a hash. */
  end(hash: number): number {
    return this.#starts[(hash & (this.#starts.length - 2)) + 1] ?? 0;
  }

  /** Returns the index in `offsets` of an entry's type; -1 if the hash of its name differs. */
  typeAt(entry: number, hash: number): number {
    const word = this.#entries[entry] ?? 0;
    return ((word ^ hash) & ~this.#indexMask) === 0 ? word & this.#indexMask : -1;
  }
}

/** A power of two, about the number of names: in vmlinux just over half of the types have one. */
function bucketsFor(types: number): number {
  return 2 ** Math.max(0, Math.floor(Math.log2(Math.max(types, 1))));
}
