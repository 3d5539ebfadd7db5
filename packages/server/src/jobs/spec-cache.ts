import { Spec } from '@btfd/btf';
import { LRUCache } from 'lru-cache';
import type { SharedBtf } from '../pool/job.js';

/** A Spec keeps the offset of each type, and an entry in the index of names. */
const BYTES_PER_TYPE = 12;
const OVERHEAD = 1024;

/** SpecCache keeps parsed BTF by its digest and that of its base. Evicted BTF is parsed again. */
export class SpecCache {
  readonly #specs: LRUCache<string, Spec>;

  constructor(maxBytes: number) {
    this.#specs = new LRUCache({
      maxSize: maxBytes,
      // Twice the bytes, because the names are also kept as text.
      sizeCalculation: ({ bytes, typeCount }) => 2 * bytes.length + BYTES_PER_TYPE * typeCount + OVERHEAD,
    });
  }

  /**
   * get returns the parsed BTF.
   *
   * @throws BtfFormatError if the BTF or its base is malformed.
   */
  get(btf: SharedBtf, base: SharedBtf | null): Spec {
    const key = base === null ? btf.digest : `${btf.digest} ${base.digest}`;
    const known = this.#specs.get(key);
    if (known !== undefined) return known;
    const spec = Spec.parse(btf.bytes, { base: base === null ? null : this.get(base, null) });
    this.#specs.set(key, spec);
    return spec;
  }
}
