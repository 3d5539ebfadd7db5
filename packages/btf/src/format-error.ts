import type { TypeId } from './types.js';

/**
 * BtfFormatErrorCode says what kind of failure a {@link BtfFormatError} is.
 *
 * - `MALFORMED`: the bytes break a rule of the format.
 * - `UNSUPPORTED`: the bytes may be right, but use a version, a flag, a header field or a kind that this
 *   library does not know and cannot step over.
 * - `LIMIT_EXCEEDED`: a limit of `ParseLimits` was reached.
 * - `MISSING_BASE`: split BTF was given without its base.
 * - `BASE_MISMATCH`: the base given cannot be the base of these bytes.
 * - `NOT_FOUND`: no type has the id or name that was asked for, no member the name; an ELF file has no BTF.
 * - `AMBIGUOUS`: several types have the name that was asked for.
 * - `INVALID_ARGUMENT`: what was asked for makes no sense: the size of a function, a member of an integer.
 */
export type BtfFormatErrorCode =
  | 'MALFORMED'
  | 'UNSUPPORTED'
  | 'LIMIT_EXCEEDED'
  | 'MISSING_BASE'
  | 'BASE_MISMATCH'
  | 'NOT_FOUND'
  | 'AMBIGUOUS'
  | 'INVALID_ARGUMENT';

/** BtfFormatErrorPlace says where in the BTF a failure is. */
export interface BtfFormatErrorPlace {
  /** Bytes from the start of the BTF, or of the ELF file that was read. */
  readonly offset?: number | undefined;
  /** The type that is concerned. */
  readonly typeId?: TypeId | undefined;
}

/** BtfFormatError is the only error this library throws for bad input, however hostile. */
export class BtfFormatError extends Error {
  override readonly name = 'BtfFormatError';
  readonly code: BtfFormatErrorCode;
  /** Where the offending bytes are, counted from the start of the BTF; null where no bytes are to blame. */
  readonly offset: number | null;
  /** The type that is concerned; null where the failure is not about one type. */
  readonly typeId: TypeId | null;

  /** @param message what is wrong; the place is appended to it. */
  constructor(code: BtfFormatErrorCode, message: string, place: BtfFormatErrorPlace = {}) {
    const words: string[] = [];
    if (place.typeId !== undefined) words.push(`type id ${place.typeId}`);
    if (place.offset !== undefined) words.push(`offset ${place.offset}`);
    super(words.length === 0 ? message : `${message} (${words.join(', ')})`);
    this.code = code;
    this.offset = place.offset ?? null;
    this.typeId = place.typeId ?? null;
  }
}
