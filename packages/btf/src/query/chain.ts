import { BtfFormatError } from '../format-error.js';
import type { TypeId } from '../types.js';

/**
 * MAX_CHAIN bounds how many references are followed one after the other. The kernel stops at 32
 * (MAX_RESOLVE_DEPTH) where it meets them in one go, but takes longer chains when they grow with the ids.
 */
export const MAX_CHAIN = 1024;

/** Chain counts the links of a chain of references, which must neither close to a loop nor be endless. */
export class Chain {
  readonly #start: TypeId;
  #length = 0;
  /** A type passed earlier: a loop meets it again (Brent's algorithm). */
  #mark: TypeId;

  constructor(start: TypeId) {
    this.#start = start;
    this.#mark = start;
  }

  /**
   * pass notes that the chain goes on to a type.
   *
   * @throws BtfFormatError `MALFORMED` in a loop, `LIMIT_EXCEEDED` after {@link MAX_CHAIN} links.
   */
  pass(id: TypeId): void {
    this.#length += 1;
    if (id === this.#mark) {
      throw new BtfFormatError('MALFORMED', 'type refers to itself in a loop', { typeId: this.#start });
    }
    if (this.#length > MAX_CHAIN) {
      const message = `more than ${MAX_CHAIN} types refer one to the next`;
      throw new BtfFormatError('LIMIT_EXCEEDED', message, { typeId: this.#start });
    }
    if ((this.#length & (this.#length - 1)) === 0) this.#mark = id;
  }
}
