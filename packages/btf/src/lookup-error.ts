import { BtfReadError } from './format-error.js';
import type { TypeId } from './types.js';

/**
 * BtfLookupErrorCode is the kind of failure that a {@link BtfLookupError} reports.
 *
 * - `NOT_FOUND`: no type has the id or the name.
 * - `AMBIGUOUS`: several types have the name.
 */
export type BtfLookupErrorCode = 'NOT_FOUND' | 'AMBIGUOUS';

/** BtfLookupDetails are the optional parts of a {@link BtfLookupError}. */
export interface BtfLookupDetails {
  /** Finds the similar names, when they are asked for: a program may look for many names that do not exist. */
  readonly findNear?: () => readonly string[];
  readonly typeIds?: readonly TypeId[];
}

/** BtfLookupError reports that a type does not exist, or that a name means several types. The BTF itself is valid. */
export class BtfLookupError extends BtfReadError {
  override readonly name = 'BtfLookupError';
  declare readonly code: BtfLookupErrorCode;
  /** The name or the id that was looked for. */
  readonly wanted: string | TypeId;
  /** The types that have an `AMBIGUOUS` name, in ascending order. Otherwise empty. */
  readonly typeIds: readonly TypeId[];
  readonly #findNear: () => readonly string[];
  #near: readonly string[] | null = null;

  constructor(
    code: BtfLookupErrorCode,
    wanted: string | TypeId,
    message: string,
    { findNear = () => [], typeIds = [] }: BtfLookupDetails = {},
  ) {
    super(code, message);
    this.wanted = wanted;
    this.typeIds = typeIds;
    this.#findNear = findNear;
  }

  /**
   * The names of types that a name may have been meant to be, three at most, nearest first. They are searched for when this is
   * first read, which takes some milliseconds for a kernel.
   */
  get near(): readonly string[] {
    this.#near ??= this.#findNear();
    return this.#near;
  }
}

/** noTypeWithId returns the error for an id that no type has. */
export function noTypeWithId(id: TypeId, endTypeId: TypeId): BtfLookupError {
  const message = `no type with id ${id}: the largest id is ${endTypeId - 1}`;
  return new BtfLookupError('NOT_FOUND', id, message);
}
