import type { TypeId } from '../types.js';

/**
 * BtfBuildErrorCode is the kind of failure that a {@link BtfBuildError} reports.
 *
 * - `INVALID_TYPE`: BTF cannot express a type or a field of it.
 * - `LIMIT_EXCEEDED`: there are more types, elements or bytes than one BTF may have.
 * - `UNSUPPORTED`: the kind of a type is not known to this library, so it cannot find the ids and names in it.
 */
export type BtfBuildErrorCode = 'INVALID_TYPE' | 'LIMIT_EXCEEDED' | 'UNSUPPORTED';

/** BtfBuildErrorPlace is the type and field that a {@link BtfBuildError} is about. */
export interface BtfBuildErrorPlace {
  /** The id of the type in the BTF that is built. */
  readonly typeId?: TypeId | undefined;
  /** The field, named as in `Type`, such as `members[2].bitOffset`. */
  readonly field?: string | undefined;
}

/** BtfBuildError reports that a BTF cannot be built from its input. */
export class BtfBuildError extends Error {
  override readonly name = 'BtfBuildError';
  readonly code: BtfBuildErrorCode;
  /** The id of the type in the BTF that is built; null if the failure is not about one type. */
  readonly typeId: TypeId | null;
  /** The field, named as in `Type`, such as `members[2].bitOffset`; null if the failure is not about one field. */
  readonly field: string | null;

  constructor(code: BtfBuildErrorCode, message: string, place: BtfBuildErrorPlace = {}) {
    super(message);
    this.code = code;
    this.typeId = place.typeId ?? null;
    this.field = place.field ?? null;
  }
}
