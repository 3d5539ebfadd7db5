import { Spec } from '@btfd/btf';
import { LRUCache } from 'lru-cache';
import type { SharedBtf } from '../pool/job.js';

/** What a Spec takes for each type at most: where it starts, and its place in the index of names. */
const BYTES_PER_TYPE = 12;
const OVERHEAD = 1024;

/** SpecCache keeps parsed BTF by its digest and its base's. What is not kept is parsed again. */
export class SpecCache {
  private readonly specs: LRUCache<string, Spec>;

  constructor(maxBytes: number) {
    this.specs = new LRUCache({
      maxSize: maxBytes,
      // The text of the names, which is kept too, is a part of the bytes.
      sizeCalculation: ({ bytes, typeCount }) => 2 * bytes.length + BYTES_PER_TYPE * typeCount + OVERHEAD,
    });
  }

  /**
   * The types of some BTF on its base.
   *
   * @throws BtfFormatError
   */
  get(btf: SharedBtf, base: SharedBtf | null): Spec {
    const key = base === null ? btf.digest : `${btf.digest} ${base.digest}`;
    const known = this.specs.get(key);
    if (known !== undefined) return known;
    const spec = Spec.parse(btf.bytes, { base: base === null ? null : this.get(base, null) });
    this.specs.set(key, spec);
    return spec;
  }
}
