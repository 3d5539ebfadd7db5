import { countTypes, isSplit, parseHeader, type ByteOrder } from '@btfd/btf';
import type { SharedBtf } from '../worker/job.js';
import { sha256 } from './sha256.js';

/** LoadedBtf is the raw BTF of an object with what its header and its digest say. */
export class LoadedBtf {
  readonly byteOrder: ByteOrder;
  /** Own types, without void and without the base's. */
  readonly typeCount: number;
  /** Whether it continues a base. */
  readonly split: boolean;
  private ownBytes: Uint8Array;
  private sharedBtf: SharedBtf | null = null;

  private constructor(
    bytes: Uint8Array,
    /** SHA-256 of the bytes. */
    readonly digest: Uint8Array,
  ) {
    this.ownBytes = bytes;
    this.byteOrder = parseHeader(bytes).byteOrder;
    this.typeCount = countTypes(bytes);
    this.split = isSplit(bytes);
  }

  /** Makes the digest off the event loop. */
  static async of(bytes: Uint8Array<ArrayBuffer>): Promise<LoadedBtf> {
    return new LoadedBtf(bytes, await sha256(bytes));
  }

  get bytes(): Uint8Array {
    return this.ownBytes;
  }

  /** The bytes for workers. From the first call on these are the only ones that are kept. */
  shared(): SharedBtf {
    if (this.sharedBtf === null) {
      const bytes = new Uint8Array(new SharedArrayBuffer(this.ownBytes.length));
      bytes.set(this.ownBytes);
      this.ownBytes = bytes;
      this.sharedBtf = { digest: Buffer.from(this.digest).toString('hex'), bytes };
    }
    return this.sharedBtf;
  }
}
