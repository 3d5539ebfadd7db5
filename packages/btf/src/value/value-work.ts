import { BtfFormatError } from '../format-error.js';

/** The deepest nesting to follow: recursion must not exhaust the stack of the caller. The kernel accepts 32 levels. */
const MAX_DEPTH = 512;

/** Parts that any value may have, however few bytes: a fraction of a second. */
const FREE_PARTS = 1 << 18;

/** Parts for each byte. A byte has at most eight bitfields. Unions show bytes more than once, but few of them. */
const PARTS_PER_BYTE = 8;

/**
 * ValueWork bounds the work for one value. A few hundred bytes of BTF can describe a value of billions of parts: arrays of
 * empty structs, and structs whose members are the next struct twice.
 */
export class ValueWork {
  readonly #most: number;
  #left: number;
  #depth = 0;

  /** @param bytes the length of the bytes that are read. */
  constructor(bytes: number) {
    this.#most = FREE_PARTS + PARTS_PER_BYTE * bytes;
    this.#left = this.#most;
  }

  /**
   * step counts parts of the value that are read or compared.
   *
   * @throws BtfFormatError `LIMIT_EXCEEDED` after the last one.
   */
  step(count = 1): void {
    this.#left -= count;
    if (this.#left < 0) {
      throw new BtfFormatError('LIMIT_EXCEEDED', `the value has more than ${this.#most} parts`);
    }
  }

  /**
   * enter is a {@link step} one level down, until {@link leave}.
   *
   * @throws BtfFormatError `LIMIT_EXCEEDED` below the deepest level.
   */
  enter(): void {
    this.step();
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) {
      throw new BtfFormatError('LIMIT_EXCEEDED', `the value nests deeper than ${MAX_DEPTH} levels`);
    }
  }

  leave(): void {
    this.#depth -= 1;
  }
}
