/** LongStrings knows where the strings of a section end that are longer than a given length. */
export class LongStrings {
  readonly #ends: Uint32Array;

  /** @param longer strings of at most that many bytes are left out. */
  constructor(bytes: Uint8Array, longer: number) {
    // Each of them takes more than `longer` bytes, which bounds their count.
    const ends = new Uint32Array(Math.ceil(bytes.length / (longer + 1)));
    let count = 0;
    let start = 0;
    for (let at = 0; at < bytes.length; at++) {
      if (bytes[at] !== 0) continue;
      if (at - start > longer) ends[count++] = at;
      start = at + 1;
    }
    this.#ends = ends.slice(0, count);
  }

  /** endOf returns the index of the NUL of the long string in which an index lies. */
  endOf(index: number): number {
    let low = 0;
    let high = this.#ends.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ends[middle] ?? 0) < index) low = middle + 1;
      else high = middle;
    }
    return this.#ends[low] ?? index;
  }
}
