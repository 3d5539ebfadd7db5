import { ErrorReason } from '@btfd/api';
import { status } from '@grpc/grpc-js';
import type { CLIENT_REASONS } from './client-reasons.js';
import {
  decodeErrorDetails,
  type ErrorDetails,
  type FieldViolation,
  NO_DETAILS,
  type QuotaViolation,
} from './error-details.js';
import { type VerifierLog, verifierLogFromMetadata } from './verifier-log.js';

/** DaemonErrorReason is why the daemon refused: the names of `btf.v1.ErrorReason`, explained there. */
export type DaemonErrorReason = Exclude<keyof typeof ErrorReason, 'UNSPECIFIED'>;

/** ClientErrorReason is why the client itself gave up: the names of a table that docs/errors.md shows. */
export type ClientErrorReason = keyof typeof CLIENT_REASONS;

/** BtfErrorReason is why a call failed. */
export type BtfErrorReason = DaemonErrorReason | ClientErrorReason;

/** BtfErrorInit is what a {@link BtfError} is made of. */
export interface BtfErrorInit {
  readonly code: status;
  readonly reason: BtfErrorReason | null;
  readonly message: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly fieldViolations?: readonly FieldViolation[];
  readonly quotaViolations?: readonly QuotaViolation[];
  readonly retryDelay?: number | null;
  readonly cause?: unknown;
}

/** What marks a BtfError, so that errors of a second copy of this package are known too. */
const BRAND = Symbol.for('@btfd/client/BtfError');

/**
 * BtfError is what every call of this package rejects with, except when its AbortSignal was aborted (then
 * it is the signal's reason), when BTF received cannot be parsed (then it is the error of `@btfd/btf`) or when a function
 * of the program threw (then it is that error).
 */
export class BtfError extends Error {
  override readonly name = 'BtfError';
  /** The gRPC status code. */
  readonly code: status;
  /** Why; null where the daemon told no reason, or one that this release does not know. */
  readonly reason: BtfErrorReason | null;
  /** The message without code and reason. */
  readonly rawMessage: string;
  /** What the daemon adds to its reason, such as the `id` that does not exist. */
  readonly metadata: Readonly<Record<string, string>>;
  /** The fields of the request that the daemon does not accept. */
  readonly fieldViolations: readonly FieldViolation[];
  /** The quotas that the call would have exceeded. */
  readonly quotaViolations: readonly QuotaViolation[];
  /** When the daemon wants to be asked again, in milliseconds; null where it told nothing. */
  readonly retryDelay: number | null;
  readonly [BRAND] = true;

  constructor(init: BtfErrorInit) {
    const { code, reason, message, metadata = {}, fieldViolations = [], quotaViolations = [] } = init;
    super(`${message} [${[status[code], reason].filter(Boolean).join(', ')}]`, { cause: init.cause });
    this.code = code;
    this.reason = reason;
    this.rawMessage = message;
    this.metadata = metadata;
    this.fieldViolations = fieldViolations;
    this.quotaViolations = quotaViolations;
    this.retryDelay = init.retryDelay ?? null;
  }

  /** The name of {@link code}, such as `NOT_FOUND`. */
  get codeName(): keyof typeof status {
    const names: Readonly<Record<number, string>> = status;
    const name = names[this.code];
    return isCodeName(name) ? name : 'UNKNOWN';
  }

  /**
   * What the kernel's verifier said of BTF that it refused, at most its last 3 KiB; `tryLoadHandle` tells
   * more. Null where nothing was refused.
   */
  get verifierLog(): VerifierLog | null {
    return this.reason === 'VERIFIER_REJECTED' ? verifierLogFromMetadata(this.metadata) : null;
  }

  /** isBtfError tells whether a value is a BtfError, of this copy of the package or of another. */
  static isBtfError(value: unknown): value is BtfError {
    return value instanceof Error && BRAND in value;
  }

  /** from makes a BtfError of whatever was thrown: a gRPC error is decoded, anything else is UNKNOWN. */
  static from(value: unknown): BtfError {
    if (BtfError.isBtfError(value)) return value;
    if (isServiceError(value)) return fromServiceError(value);
    const message = value instanceof Error ? value.message : String(value);
    return new BtfError({ code: status.UNKNOWN, reason: null, message, cause: value });
  }
}

interface ServiceErrorLike extends Error {
  readonly code: status;
  readonly details: string;
  readonly metadata: MetadataLike;
}

/** What is read of metadata: an error may come from another copy of grpc-js, whose class is another. */
interface MetadataLike {
  get(key: string): unknown[];
}

function isServiceError(value: unknown): value is ServiceErrorLike {
  return (
    value instanceof Error &&
    'code' in value &&
    typeof value.code === 'number' &&
    'details' in value &&
    typeof value.details === 'string' &&
    'metadata' in value &&
    hasGet(value.metadata)
  );
}

function hasGet(value: unknown): value is MetadataLike {
  return typeof value === 'object' && value !== null && 'get' in value && typeof value.get === 'function';
}

function fromServiceError(error: ServiceErrorLike): BtfError {
  const { reason, fieldViolations, ...details } = detailsOf(error.metadata);
  const said = error.details || 'the daemon gave no message';
  const violations = fieldViolations
    .map(({ field, description }) => `${field}: ${description}`)
    .filter((violation) => !said.includes(violation));
  return new BtfError({
    code: error.code,
    reason: isDaemonReason(reason) ? reason : null,
    message: [said, ...violations].join('; '),
    fieldViolations,
    ...details,
    cause: error,
  });
}

function detailsOf(metadata: MetadataLike): ErrorDetails {
  const [trailer] = metadata.get('grpc-status-details-bin');
  return trailer instanceof Uint8Array ? decodeErrorDetails(trailer) : NO_DETAILS;
}

function isDaemonReason(name: string): name is DaemonErrorReason {
  return name !== 'UNSPECIFIED' && Object.hasOwn(ErrorReason, name) && !/^\d/.test(name);
}

function isCodeName(name: string | undefined): name is keyof typeof status {
  return name !== undefined && name in status;
}
