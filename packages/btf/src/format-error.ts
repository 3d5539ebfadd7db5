import type { TypeId } from './types.js';

/**
 * BtfFormatErrorCode is the kind of failure that a {@link BtfFormatError} reports.
 *
 * - `MALFORMED`: the bytes break a rule of the format.
 * - `UNSUPPORTED`: the bytes may be valid, but use a version, a flag, a header field or a kind that this library does
 *   not know and cannot skip.
 * - `LIMIT_EXCEEDED`: a limit of `ParseLimits` was reached.
 * - `MISSING_BASE`: split BTF was given without its base.
 * - `BASE_MISMATCH`: the given base cannot be the base of these bytes.
 * - `NO_BTF`: an ELF file has no BTF.
 * - `INVALID_ARGUMENT`: the request makes no sense: the size of a function, a member of an integer.
 */
export type BtfFormatErrorCode =
  | 'MALFORMED'
  | 'UNSUPPORTED'
  | 'LIMIT_EXCEEDED'
  | 'MISSING_BASE'
  | 'BASE_MISMATCH'
  | 'NO_BTF'
  | 'INVALID_ARGUMENT';

/**
 * BtfReadErrorCode is the kind of failure that a {@link BtfReadError} reports: one of {@link BtfFormatErrorCode}, or one of a
 * look-up.
 *
 * - `NOT_FOUND`: no type has the given id or name, or no member has the given name.
 * - `AMBIGUOUS`: several types have the given name.
 */
export type BtfReadErrorCode = BtfFormatErrorCode | 'NOT_FOUND' | 'AMBIGUOUS';

/** BtfFormatErrorPlace is the place of a failure in the BTF. */
export interface BtfFormatErrorPlace {
  /** Bytes from the start of the BTF, or of the ELF file that was read. */
  readonly offset?: number | undefined;
  /** The type that the failure is about. */
  readonly typeId?: TypeId | undefined;
}

/**
 * BtfReadError is the class of all errors that reading BTF throws: {@link BtfFormatError} for the BTF, `BtfLookupError` for a
 * type that is looked for, and `MemberPathError` for a path to a member. Bad input causes no other errors, however hostile
 * it is.
 */
export abstract class BtfReadError extends Error {
  readonly code: BtfReadErrorCode;
  /** Where the offending bytes are, in bytes from the start of the BTF; null if no bytes are to blame. */
  readonly offset: number | null;
  /** The type that the failure is about; null if it is not about one type. */
  readonly typeId: TypeId | null;

  /** @param message the failure; the place is appended to it. */
  constructor(code: BtfReadErrorCode, message: string, place: BtfFormatErrorPlace = {}) {
    const words: string[] = [];
    if (place.typeId !== undefined) words.push(`type id ${place.typeId}`);
    if (place.offset !== undefined) words.push(`offset ${place.offset}`);
    super(words.length === 0 ? message : `${message} (${words.join(', ')})`);
    this.code = code;
    this.offset = place.offset ?? null;
    this.typeId = place.typeId ?? null;
  }
}

/** BtfFormatError is the error for BTF that cannot be read, or not in the way that was asked for. */
export class BtfFormatError extends BtfReadError {
  override readonly name = 'BtfFormatError';
  declare readonly code: BtfFormatErrorCode;

  /** @param message the failure; the place is appended to it. */
  constructor(code: BtfFormatErrorCode, message: string, place: BtfFormatErrorPlace = {}) {
    super(code, message, place);
  }
}
