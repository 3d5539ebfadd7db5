import { create } from '@bufbuild/protobuf';
import { type LoadHandleRequest, LoadHandleRequestSchema } from '@btfd/api';
import type { Builder } from '@btfd/btf';
import { aBoolean, aUint32, checkOptions, invalidArgument, must, type Rules } from './error/argument.js';
import { LEASE_RULES, type LeaseOptions } from './call/call-options.js';
import { durationFromMs } from './base/duration.js';
import type { Handle } from './handle.js';
import type { VerifierLog } from './error/verifier-log.js';

/** LoadOptions are the options of loading BTF. */
export interface LoadOptions extends LeaseOptions {
  /**
   * Rewrite what the daemon's kernel is too old for into what it knows: enums of 64 bits, tags, the linkage of
   * functions. Default: true for a `Builder`, as in the original's `NewHandle`; false for bytes.
   */
  readonly adaptToKernel?: boolean | undefined;
  /** Bytes of verifier log to keep when the kernel refuses, at most 4 MiB. Default: 256 KiB. */
  readonly logSize?: number | undefined;
}

const LOAD_RULES: Rules<LoadOptions> = { ...LEASE_RULES, adaptToKernel: aBoolean, logSize: aUint32 };

/** Rejection tells that the kernel's verifier refused BTF. */
export interface Rejection {
  /** The kernel's errno, such as 22. */
  readonly errno: number;
  /** Its name, such as `EINVAL`. */
  readonly errnoName: string;
  /** What the verifier said. */
  readonly log: VerifierLog;
}

/** LoadResult is how a load ended: one of the two is null. */
export type LoadResult =
  | { readonly handle: Handle; readonly rejection: null }
  | { readonly handle: null; readonly rejection: Rejection };

/** loadRequest makes the request of a load. @throws BtfError INVALID_REQUEST. */
export function loadRequest(
  btf: Uint8Array | Builder,
  options: LoadOptions,
  reportRejection: boolean,
): LoadHandleRequest {
  btfToLoad('btf', btf);
  checkOptions(options, LOAD_RULES);
  const { ttl, logSize = 0, adaptToKernel } = options;
  const isBuilt = !(btf instanceof Uint8Array);
  return create(LoadHandleRequestSchema, {
    source: { case: 'rawBtf', value: isBuilt ? marshalled(btf) : btf },
    ttl: durationFromMs(ttl),
    logSize,
    reportRejection,
    adaptToKernel: adaptToKernel ?? isBuilt,
  });
}

function marshalled(builder: Builder): Uint8Array {
  try {
    return builder.marshal({ preventNoTypeFound: true });
  } catch (error) {
    throw invalidArgument('btf', `must be what can be marshalled: ${String(error)}`, error);
  }
}

/** Not by class: the Builder may be of another copy of its package. */
function isBuilder(value: unknown): value is Builder {
  return (
    typeof value === 'object' && value !== null && 'marshal' in value && typeof value.marshal === 'function'
  );
}

const btfToLoad = must(
  'a Uint8Array or a Builder',
  (value) => value instanceof Uint8Array || isBuilder(value),
);
