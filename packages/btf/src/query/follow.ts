import { BtfFormatError } from '../format-error.js';
import type { Spec } from '../spec.js';
import type { Type, TypeId } from '../types.js';

/**
 * follow decodes the type that another type refers to.
 *
 * @param from the type that has the reference, for the error.
 * @throws BtfFormatError `MALFORMED` if there is no such type: the id comes from the BTF, not from the caller.
 */
export function follow(spec: Spec, from: TypeId, to: TypeId): Type {
  return spec.typeById(followed(spec, from, to));
}

/** followed is {@link follow} for callers that only need the id. */
export function followed(spec: Spec, from: TypeId, to: TypeId): TypeId {
  if (to < spec.endTypeId) return to;
  throw new BtfFormatError('MALFORMED', `reference to type id ${to}, which does not exist`, {
    typeId: from,
  });
}

/**
 * MAX_CHAIN is the number of references to follow in a row. The kernel stops at 32 (MAX_RESOLVE_DEPTH) if it meets them
 * in one go, but accepts longer chains that grow with the ids.
 */
export const MAX_CHAIN = 1024;

/** Chain counts the links of a chain of references, and stops loops and endless chains. */
export class Chain {
  readonly #start: TypeId;
  #length = 0;
  /** A type that was passed earlier. A loop meets it again (Brent's algorithm). */
  #mark: TypeId;

  constructor(start: TypeId) {
    this.#start = start;
    this.#mark = start;
  }

  /**
   * pass records that the chain continues to a type.
   *
   * @throws BtfFormatError `MALFORMED` in a loop.
   * @throws BtfFormatError `LIMIT_EXCEEDED` after {@link MAX_CHAIN} links.
   */
  pass(id: TypeId): void {
    this.#length += 1;
    if (id === this.#mark) {
      throw new BtfFormatError('MALFORMED', 'type refers to itself in a loop', { typeId: this.#start });
    }
    if (this.#length > MAX_CHAIN) {
      const message = `chain of more than ${MAX_CHAIN} types that refer to each other`;
      throw new BtfFormatError('LIMIT_EXCEEDED', message, { typeId: this.#start });
    }
    if ((this.#length & (this.#length - 1)) === 0) this.#mark = id;
  }
}
