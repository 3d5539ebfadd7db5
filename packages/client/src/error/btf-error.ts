import {
  errorDetailsOf,
  type ErrorReasonName,
  type FieldViolation,
  isErrorReason,
  type QuotaViolation,
} from '@btfd/api/light';
import { status } from '@grpc/grpc-js';
import { CLIENT_REASONS } from './client-reasons.js';
import { plainFailure } from './plain-failure.js';
import { type VerifierLog, verifierLogFromMetadata } from './verifier-log.js';

/** DaemonErrorReason is a reason of the daemon: a name of `btf.v1.ErrorReason`, whose comments explain each. */
export type DaemonErrorReason = ErrorReasonName;

/** ClientErrorReason is a reason of the client's own. docs/errors.md explains each. */
export type ClientErrorReason = keyof typeof CLIENT_REASONS;

/** BtfErrorReason is the reason why a call failed. */
export type BtfErrorReason = DaemonErrorReason | ClientErrorReason;

/** BtfErrorInit is the input of the constructor of {@link BtfError}. */
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

/** The mark of a BtfError, by which errors of a second copy of this package are recognised too. */
const BRAND = Symbol.for('@btfd/client/BtfError');

/**
 * BtfError is the error that calls of this package reject with. Three failures are passed on as they are instead: the
 * reason of an AbortSignal that aborted, the error of `@btfd/btf` for received BTF that cannot be parsed, and an error
 * that a function of the program threw.
 *
 * Every call may fail with:
 *
 * - INVALID_REQUEST for a bad argument, or an option that is unknown; `fieldViolations` names it.
 * - UNREACHABLE if the daemon cannot be reached, SHUTTING_DOWN if it is ending, or CLIENT_CLOSED.
 * - the code DEADLINE_EXCEEDED without a reason, if the call took longer than its `timeout`.
 * - UNAUTHENTICATED, or ROLE_FORBIDS if the caller's role is not sufficient.
 * - QUOTA_EXCEEDED, OUT_OF_FILES or OUT_OF_MEMORY if a quota or the machine is exhausted.
 * - DAEMON_LACKS_CAPABILITY, KERNEL_LACKS_SUPPORT or OPERATION_UNAVAILABLE if the daemon or its kernel cannot do it.
 * - INTERNAL or INVALID_RESPONSE for a fault of the daemon.
 *
 * docs/errors.md lists every reason, when it is given and what to do next.
 */
export class BtfError extends Error {
  override readonly name = 'BtfError';
  /** The gRPC status code. */
  readonly code: status;
  /** The reason; null if the daemon gave none, or one that this release does not know. */
  readonly reason: BtfErrorReason | null;
  /** The message without code and reason. */
  readonly rawMessage: string;
  /** The values that belong to the reason, such as the `id` that does not exist. */
  readonly metadata: Readonly<Record<string, string>>;
  /** The fields of the request that the daemon rejects. */
  readonly fieldViolations: readonly FieldViolation[];
  /** The quotas that the call would have exceeded. */
  readonly quotaViolations: readonly QuotaViolation[];
  /** How long to wait before a retry, in milliseconds; null if the daemon did not say. */
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
   * The kernel's log about BTF that it refused, at most its last 3 KiB; `tryLoadHandle` returns more. Null
   * for errors with another reason than VERIFIER_REJECTED. Modelled on `ebpf.VerifierError`.
   */
  get verifierLog(): VerifierLog | null {
    return this.reason === 'VERIFIER_REJECTED' ? verifierLogFromMetadata(this.metadata) : null;
  }

  /** isBtfError reports whether a value is a BtfError, of this copy of the package or of another. */
  static isBtfError(value: unknown): value is BtfError {
    return value instanceof Error && BRAND in value;
  }

  /**
   * from returns a BtfError for any thrown value. It returns a BtfError as it is and decodes an error of grpc-js. For
   * any other value the code is UNKNOWN, and the value is the `cause`. Texts of grpc-js about connections are in plain words.
   */
  static from(value: unknown): BtfError {
    if (BtfError.isBtfError(value)) return value;
    if (isServiceError(value)) return fromServiceError(value);
    const message = plainFailure(value instanceof Error ? value.message : String(value));
    return new BtfError({ code: status.UNKNOWN, reason: null, message, cause: value });
  }
}

/** clientError returns the error for a reason of the client's own, with the code in the table of reasons. */
export function clientError(
  reason: ClientErrorReason,
  message: string,
  { retryDelay = null, cause }: Pick<BtfErrorInit, 'retryDelay' | 'cause'> = {},
): BtfError {
  return new BtfError({ code: CLIENT_REASONS[reason].code, reason, message, retryDelay, cause });
}

/** invalidResponse returns the error for a response that lacks something that the contract promises. */
export function invalidResponse(missing: string): BtfError {
  return clientError('INVALID_RESPONSE', `the daemon's response has no ${missing}`);
}

interface ServiceErrorLike extends Error {
  readonly code: status;
  readonly details: string;
  readonly metadata: MetadataLike;
}

/** The part of metadata that is read. The error may come from another copy of grpc-js, with a class of its own. */
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
  const { reason, fieldViolations, ...details } = errorDetailsOf(error.metadata);
  const text = plainFailure(error.details) || 'the daemon gave no message';
  const violations = fieldViolations
    .map(({ field, description }) => `${field}: ${description}`)
    .filter((violation) => !text.includes(violation));
  return new BtfError({
    code: error.code,
    reason: isErrorReason(reason) ? reason : null,
    message: [text, ...violations].join('; '),
    fieldViolations,
    ...details,
    cause: error,
  });
}

function isCodeName(name: string | undefined): name is keyof typeof status {
  return name !== undefined && name in status;
}
