import { hashText, type StringTable } from './strings.js';
import type { Words } from './words.js';

/**
 * NameIndex narrows down which types can have a name. It is a hash table over the names of all types, in two typed
 * arrays that take at most eight bytes for each type. It leaves out anonymous types.
 *
 * Names are compared by their bytes, not by their offsets: equal names may lie in different places, also at the end of
 * longer strings.
 */
export class NameIndex {
  /** Where the types of each bucket start in `#types`, with one entry more than there are buckets. */
  readonly #starts: Uint32Array;
  /** Indices of types in `offsets`, bucket by bucket, in ascending order within each. */
  readonly #types: Uint32Array;

  /** @param offsets where the types start in `words`. */
  constructor(words: Words, offsets: Uint32Array, strings: StringTable) {
    const buckets = bucketsFor(offsets.length);
    const bucketOf = new Uint32Array(offsets.length);
    const starts = new Uint32Array(buckets + 1);
    for (let index = 0; index < offsets.length; index++) {
      const hash = strings.hash(words.u32(offsets[index] ?? 0));
      const bucket = hash === 0 ? buckets : hash & (buckets - 1);
      bucketOf[index] = bucket;
      if (bucket < buckets) starts[bucket + 1] = (starts[bucket + 1] ?? 0) + 1;
    }
    for (let bucket = 0; bucket < buckets; bucket++) {
      starts[bucket + 1] = (starts[bucket + 1] ?? 0) + (starts[bucket] ?? 0);
    }
    const types = new Uint32Array(starts[buckets] ?? 0);
    const ends = starts.slice();
    for (let index = 0; index < offsets.length; index++) {
      const bucket = bucketOf[index] ?? buckets;
      if (bucket === buckets) continue;
      const end = ends[bucket] ?? 0;
      types[end] = index;
      ends[bucket] = end + 1;
    }
    this.#starts = starts;
    this.#types = types;
  }

  /**
   * visit calls `visit` with the indices in `offsets` of all types that have a name, and of some that do not, in ascending
   * order.
   *
   * @param name the name's bytes, at least one, without NUL.
   */
  visit(name: Uint8Array, visit: (index: number) => void): void {
    const bucket = hashText(name, 0) & (this.#starts.length - 2);
    const end = this.#starts[bucket + 1] ?? 0;
    for (let at = this.#starts[bucket] ?? 0; at < end; at++) visit(this.#types[at] ?? 0);
  }
}

/** A power of two, about the number of names: in vmlinux just over half of the types have one. */
function bucketsFor(types: number): number {
  return 2 ** Math.max(0, Math.floor(Math.log2(Math.max(types, 1))));
}
