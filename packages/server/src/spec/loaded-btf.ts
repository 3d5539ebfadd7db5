import { countTypes, isSplit, parseHeader, Spec, type ByteOrder } from '@btfd/btf';
import { sha256 } from './sha256.js';

/** LoadedBtf is the raw BTF of an object with what its header, its digest and its types say. */
export class LoadedBtf {
  readonly byteOrder: ByteOrder;
  /** Own types, without void and without the base's. */
  readonly typeCount: number;
  /** Whether it continues a base. */
  readonly split: boolean;
  private parsed: { readonly base: LoadedBtf | null; readonly spec: Spec } | null = null;

  private constructor(
    readonly bytes: Uint8Array,
    /** SHA-256 of the bytes. */
    readonly digest: Uint8Array,
  ) {
    this.byteOrder = parseHeader(bytes).byteOrder;
    this.typeCount = countTypes(bytes);
    this.split = isSplit(bytes);
  }

  /** Makes the digest off the event loop. */
  static async of(bytes: Uint8Array<ArrayBuffer>): Promise<LoadedBtf> {
    return new LoadedBtf(bytes, await sha256(bytes));
  }

  /** The types, on a base where they need one. Parsed once for each base. */
  spec(base: LoadedBtf | null): Spec {
    if (this.parsed === null || this.parsed.base !== base) {
      this.parsed = { base, spec: Spec.parse(this.bytes, { base: base === null ? null : base.spec(null) }) };
    }
    return this.parsed.spec;
  }
}
