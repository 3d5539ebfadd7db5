import type { TypeId } from '../types.js';

/**
 * BtfBuildErrorCode says what kind of failure a {@link BtfBuildError} is.
 *
 * - `INVALID_TYPE`: a type or a field of it is outside of what BTF can say.
 * - `LIMIT_EXCEEDED`: more types, elements or bytes than one BTF may have.
 * - `UNSUPPORTED`: a type of a kind that this library does not know, so that it cannot tell what in it is an
 * id or a name.
 */
export type BtfBuildErrorCode = 'INVALID_TYPE' | 'LIMIT_EXCEEDED' | 'UNSUPPORTED';

/** BtfBuildErrorPlace says what a {@link BtfBuildError} is about. */
export interface BtfBuildErrorPlace {
  /** The type's id in what is built. */
  readonly typeId?: TypeId | undefined;
  /** The field in the words of `Type`, such as `members[2].bitOffset`. */
  readonly field?: string | undefined;
}

/** BtfBuildError says that a BTF cannot be built from what was given. */
export class BtfBuildError extends Error {
  override readonly name = 'BtfBuildError';
  readonly code: BtfBuildErrorCode;
  /** The type's id in what is built; null where the failure is not about one type. */
  readonly typeId: TypeId | null;
  /** The field in the words of `Type`, such as `members[2].bitOffset`; null where it is not about one. */
  readonly field: string | null;

  constructor(code: BtfBuildErrorCode, message: string, place: BtfBuildErrorPlace = {}) {
    super(message);
    this.code = code;
    this.typeId = place.typeId ?? null;
    this.field = place.field ?? null;
  }
}
