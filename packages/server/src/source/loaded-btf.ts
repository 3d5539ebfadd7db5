import { countTypes, isSplit, parseHeader, type ByteOrder } from '@btfd/btf';
import type { SharedBtf } from '../pool/job.js';
import { sha256 } from '../base/slices.js';

/** LoadedBtf is the raw BTF of an object, in memory that workers share, with what its header and digest say. */
export class LoadedBtf {
  readonly byteOrder: ByteOrder;
  /** Own types, without void and without the base's. */
  readonly typeCount: number;
  /** Whether it continues a base. */
  readonly split: boolean;
  /** The bytes for workers. */
  readonly shared: SharedBtf;

  private constructor(
    readonly bytes: Uint8Array,
    /** SHA-256 of the bytes. */
    readonly digest: Uint8Array,
  ) {
    this.byteOrder = parseHeader(bytes).byteOrder;
    this.typeCount = countTypes(bytes);
    this.split = isSplit(bytes);
    this.shared = { digest: Buffer.from(digest).toString('hex'), bytes };
  }

  /** Copies the bytes into shared memory and hashes them, slice by slice. */
  static async of(bytes: Uint8Array): Promise<LoadedBtf> {
    const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
    const digest = await sha256(bytes, (slice, at) => shared.set(slice, at));
    return new LoadedBtf(shared, digest);
  }
}
