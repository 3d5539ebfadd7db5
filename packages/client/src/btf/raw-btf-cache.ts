import { digestKey, type RawBtf } from './raw-btf.js';

/** RawBtfCache keeps BTF by digest, up to a number of bytes. It drops the least recently used BTF first. */
export class RawBtfCache {
  readonly #limit: number;
  // In the order of use, because a Map iterates in the order of insertion.
  readonly #entries = new Map<string, RawBtf>();
  #size = 0;

  /** @param limit bytes of BTF to keep. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** @param key a digest in hexadecimal. */
  get(key: string): RawBtf | undefined {
    const found = this.#entries.get(key);
    if (found !== undefined) {
      this.#entries.delete(key);
      this.#entries.set(key, found);
    }
    return found;
  }

  /** Keeps BTF, unless it is larger than the limit. */
  add(raw: RawBtf): void {
    const key = digestKey(raw.digest);
    if (this.#entries.has(key) || raw.bytes.length > this.#limit) return;
    this.#entries.set(key, raw);
    this.#size += raw.bytes.length;
    for (const [oldest, { bytes }] of this.#entries) {
      if (this.#size <= this.#limit) break;
      this.#entries.delete(oldest);
      this.#size -= bytes.length;
    }
  }
}
