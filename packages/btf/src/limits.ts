import { BtfFormatError } from './format-error.js';

/** ParseLimits bounds what parsing accepts, and by that the memory and the time it takes. */
export interface ParseLimits {
  /** Most bytes of one BTF, its base not counted. */
  readonly bytes: number;
  /** Most types of one BTF, those of its base not counted. The index takes four bytes for each. */
  readonly types: number;
  /**
   * Longest name in bytes. A longer one fails the decoding of the type that has it, not the parse; so do names within
   * one type that add up to more than 64 MiB.
   */
  readonly nameLength: number;
  /** Most bases below a split BTF. */
  readonly baseDepth: number;
}

/** DEFAULT_PARSE_LIMITS are the limits in force where none are given. */
export const DEFAULT_PARSE_LIMITS: ParseLimits = {
  // 16 times the kernel's BTF_MAX_SIZE: room for BTF of user space before deduplication.
  bytes: 256 * 1024 * 1024,
  // 16 times the kernel's BTF_MAX_TYPE: an index of at most 64 MiB.
  types: 16 * 1024 * 1024,
  // 32 times the kernel's KSYM_NAME_LEN. Types may share one string: without a bound on it, a few
  // megabytes of BTF could decode to terabytes of names.
  nameLength: 16 * 1024,
  // The kernel uses one (modules on vmlinux); three levels are planned.
  baseDepth: 8,
};

/**
 * limitsOf completes limits by the defaults. A limit that is undefined is not given.
 *
 * @throws BtfFormatError `INVALID_ARGUMENT` for what is no count: a comparison with it would be no limit at all.
 */
export function limitsOf(
  given: { readonly [Name in keyof ParseLimits]?: number | undefined } = {},
): ParseLimits {
  const limit = (name: keyof ParseLimits): number => {
    const value = given[name] ?? DEFAULT_PARSE_LIMITS[name];
    if (value === Infinity || (Number.isInteger(value) && value >= 0)) return value;
    throw new BtfFormatError('INVALID_ARGUMENT', `the limit ${name} is not a count: ${String(value)}`);
  };
  return {
    bytes: limit('bytes'),
    types: limit('types'),
    nameLength: limit('nameLength'),
    baseDepth: limit('baseDepth'),
  };
}
