import { isSplit, parseHeader, surveyBtf, type BtfSurvey, type ByteOrder } from '@btfd/btf';
import type { SharedBtf } from '../pool/job.js';
import { sha256 } from '../base/slices.js';

/** LoadedBtf is the raw BTF of an object, in memory that is shared with workers, with its digest and facts of its header. */
export class LoadedBtf {
  readonly byteOrder: ByteOrder;
  /** Whether it is split BTF, which needs its base. */
  readonly split: boolean;
  /** The bytes for workers. */
  readonly shared: SharedBtf;
  readonly #survey: BtfSurvey;

  private constructor(
    readonly bytes: Uint8Array,
    /** SHA-256 of the bytes. */
    readonly digest: Uint8Array,
  ) {
    this.byteOrder = parseHeader(bytes).byteOrder;
    this.split = isSplit(bytes);
    this.#survey = surveyBtf(bytes);
    this.shared = { digest: Buffer.from(digest).toString('hex'), bytes };
  }

  /**
   * Copies the bytes into shared memory, unless they are there, and hashes them, slice by slice.
   *
   * @throws BtfFormatError if the header is not valid.
   */
  static async of(bytes: Uint8Array): Promise<LoadedBtf> {
    if (bytes.buffer instanceof SharedArrayBuffer) return new LoadedBtf(bytes, await sha256(bytes));
    const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
    const digest = await sha256(bytes, (slice, at) => shared.set(slice, at));
    return new LoadedBtf(shared, digest);
  }

  /** survey counts the types. Those of split BTF can be of kinds that only the layout section of its base describes. */
  survey(base: LoadedBtf | null): BtfSurvey {
    return this.#survey.typeCount !== null || base === null
      ? this.#survey
      : surveyBtf(this.bytes, base.bytes);
  }
}
