import { BtfReadError, type Builder, isElfFile, parseBpfObject, prepareBtf } from '@btfd/btf';
import { LEASE_RULES, type LeaseOptions, ttlMessage } from './call/call-options.js';
import type { RequestOf } from './call/methods.js';
import { aBoolean, aUint32, checkOptions, invalidArgument, rule, type Rules } from './error/argument.js';
import type { VerifierLog } from './error/verifier-log.js';
import type { Handle } from './handle.js';

/** LoadOptions are the options of loading BTF. */
export interface LoadOptions extends LeaseOptions {
  /**
   * Whether the daemon replaces what its kernel is too old for: types of newer kinds, tags, names, the layout section.
   * `FEATURE_ROWS` of `@btfd/btf` has each replacement. Default: true for a `Builder`, as in `btf.NewHandle` of
   * cilium/ebpf, and for an object file, as in libbpf; false for BTF, as in `btf.NewHandleFromRawBTF`.
   */
  readonly adaptToKernel?: boolean | undefined;
  /** The bytes of log to return if the kernel refuses the BTF, at most 4 MiB. Default: 256 KiB. */
  readonly logSize?: number | undefined;
}

const LOAD_RULES: Rules<LoadOptions> = { ...LEASE_RULES, adaptToKernel: aBoolean, logSize: aUint32 };

/** Rejection reports that the kernel refused BTF. */
export interface Rejection {
  /** The kernel's errno, such as 22. */
  readonly errno: number;
  /** Its name, such as `EINVAL`. */
  readonly errnoName: string;
  /** The kernel's log. */
  readonly log: VerifierLog;
}

/** LoadResult is the result of a load. Either `handle` or `rejection` is null. */
export type LoadResult =
  | { readonly handle: Handle; readonly rejection: null }
  | { readonly handle: null; readonly rejection: Rejection };

/** loadRequest returns the request of a load. @throws BtfError INVALID_REQUEST. */
export function loadRequest(
  btf: Uint8Array | Builder,
  options: LoadOptions,
  reportRejection: boolean,
): RequestOf<'loadHandle'> {
  btfToLoad('btf', btf);
  checkOptions(options, LOAD_RULES);
  const { ttl, logSize = 0, adaptToKernel } = options;
  const isRaw = btf instanceof Uint8Array && !isElfFile(btf);
  return {
    source: { case: 'rawBtf', value: rawBtfOf(btf) },
    ttl: ttlMessage(ttl),
    logSize,
    reportRejection,
    adaptToKernel: adaptToKernel ?? !isRaw,
  };
}

function rawBtfOf(btf: Uint8Array | Builder): Uint8Array {
  if (!(btf instanceof Uint8Array)) return marshalled(btf);
  return isElfFile(btf) ? prepared(btf) : btf;
}

function marshalled(builder: Builder): Uint8Array {
  if (isOnBase(builder)) {
    throw invalidArgument('btf', 'must be a Builder without a base: the kernel does not load split BTF');
  }
  try {
    return builder.marshal({ preventNoTypeFound: true });
  } catch (error) {
    throw invalidArgument('btf', `must be a Builder that can be marshalled: ${String(error)}`, error);
  }
}

/** prepared returns the BTF of an object file as libbpf loads it. @throws BtfError INVALID_REQUEST. */
function prepared(file: Uint8Array): Uint8Array {
  try {
    return prepareBtf(parseBpfObject(file));
  } catch (error) {
    if (!(error instanceof BtfReadError)) throw error;
    throw invalidArgument('btf', `the object file cannot be prepared: ${error.message}`, error);
  }
}

/** Does not check the class: the Builder may be of another copy of its package. */
function isBuilder(value: unknown): value is Builder {
  return (
    typeof value === 'object' && value !== null && 'marshal' in value && typeof value.marshal === 'function'
  );
}

/** Whether a Builder makes split BTF. One of an older copy of its package has no base. */
function isOnBase({ base }: { readonly base?: Builder['base'] | undefined }): boolean {
  return base !== null && base !== undefined;
}

const btfToLoad = rule(
  'a Uint8Array or a Builder',
  (value) => value instanceof Uint8Array || isBuilder(value),
);
