import { BtfFormatError } from './format-error.js';

/** ParseLimits bounds the BTF that parsing accepts, and so the memory and time that parsing takes. */
export interface ParseLimits {
  /** Maximum size of one BTF in bytes, without its base. */
  readonly bytes: number;
  /** Maximum number of types of one BTF, without those of its base. The index takes four bytes for each. */
  readonly types: number;
  /**
   * Maximum length of a name in bytes. A type with a longer name fails when it is decoded, not when the BTF is parsed.
   * So does a type whose names add up to more than 64 MiB.
   */
  readonly nameLength: number;
  /** Maximum number of bases below a split BTF. */
  readonly baseDepth: number;
}

/** DEFAULT_PARSE_LIMITS are the limits that apply by default. */
export const DEFAULT_PARSE_LIMITS: ParseLimits = {
  // 16 times the kernel's BTF_MAX_SIZE: room for BTF of user space before deduplication.
  bytes: 256 * 1024 * 1024,
  // 16 times the kernel's BTF_MAX_TYPE: an index of at most 64 MiB.
  types: 16 * 1024 * 1024,
  // 32 times the kernel's KSYM_NAME_LEN. Types may share one string: without a bound on its length, a few megabytes of
  // BTF could decode to terabytes of names.
  nameLength: 16 * 1024,
  // The kernel uses one base (modules on vmlinux).
  baseDepth: 8,
};

/**
 * limitsOf completes limits with the defaults. An undefined limit counts as missing.
 *
 * @throws BtfFormatError `INVALID_ARGUMENT` if a limit is not a count: comparisons with it would not limit anything.
 */
export function limitsOf(
  given: { readonly [Name in keyof ParseLimits]?: number | undefined } = {},
): ParseLimits {
  const limit = (name: keyof ParseLimits): number => {
    const value = given[name] ?? DEFAULT_PARSE_LIMITS[name];
    if (value === Infinity || (Number.isInteger(value) && value >= 0)) return value;
    throw new BtfFormatError('INVALID_ARGUMENT', `invalid limit ${name}: ${String(value)} is not a count`);
  };
  return {
    bytes: limit('bytes'),
    types: limit('types'),
    nameLength: limit('nameLength'),
    baseDepth: limit('baseDepth'),
  };
}
