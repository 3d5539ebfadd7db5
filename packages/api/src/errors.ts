import { FieldReader } from './field-reader.js';
import type { ErrorReason } from './gen/btf/v1/errors_pb.js';

/** ERROR_DOMAIN is the `domain` of the `google.rpc.ErrorInfo` in every error of `btf.v1`. */
export const ERROR_DOMAIN = 'btf.v1';

/** STATUS_TRAILER is the key of the trailer that carries an error's `google.rpc.Status`. */
export const STATUS_TRAILER = 'grpc-status-details-bin';

/** ErrorReasonName is the name of an {@link ErrorReason}, as the `reason` of an ErrorInfo has it. */
export type ErrorReasonName = Exclude<keyof typeof ErrorReason, 'UNSPECIFIED'>;

/** FieldViolation says what is wrong with a field of a request. */
export interface FieldViolation {
  /** The path of the field in the request message, such as `selection.names`. */
  readonly field: string;
  readonly description: string;
}

/** QuotaViolation says which quota a call would have exceeded. */
export interface QuotaViolation {
  /** The owner of the quota: a principal such as `principal:uid:1000`, or `daemon` for the quota of all callers. */
  readonly subject: string;
  readonly description: string;
}

/** ErrorDetails are the details of an error: everything that its status has except code and message. */
export interface ErrorDetails {
  /** The name of an {@link ErrorReason}, perhaps of a later release; null if the error has no ErrorInfo of `btf.v1`. */
  readonly reason: string | null;
  /** The values that belong to the reason, by the keys that the comment of the reason names. */
  readonly metadata: Readonly<Record<string, string>>;
  /** The fields that a BadRequest names. */
  readonly fieldViolations: readonly FieldViolation[];
  /** The quotas that a QuotaFailure names. */
  readonly quotaViolations: readonly QuotaViolation[];
  /** The delay of a RetryInfo, in milliseconds; null if there is none. */
  readonly retryDelay: number | null;
}

/** NO_DETAILS are the details of an error that has none. */
export const NO_DETAILS: ErrorDetails = {
  reason: null,
  metadata: {},
  fieldViolations: [],
  quotaViolations: [],
  retryDelay: null,
};

/** The reasons of this release. The type demands each, so that a new one does not compile until it is here. */
const REASONS: Readonly<Record<ErrorReasonName, true>> = {
  BTF_ID_NOT_FOUND: true,
  HANDLE_NOT_FOUND: true,
  HANDLE_OF_EARLIER_DAEMON: true,
  NAME_NOT_FOUND: true,
  VERIFIER_REJECTED: true,
  BTF_TOO_LARGE: true,
  INVALID_REQUEST: true,
  MISSING_BASE: true,
  KERNEL_WITHOUT_BTF: true,
  OPERATION_UNAVAILABLE: true,
  DAEMON_LACKS_CAPABILITY: true,
  OUT_OF_FILES: true,
  OUT_OF_MEMORY: true,
  HOLD_STALLED: true,
  SLOW_READER: true,
  MESSAGE_TOO_LARGE: true,
  KERNEL_LACKS_SUPPORT: true,
  SHUTTING_DOWN: true,
  BTF_UNDECODABLE: true,
  OUTPUT_TOO_LARGE: true,
  BTF_UNBUILDABLE: true,
  LOAD_QUEUE_FULL: true,
  QUOTA_EXCEEDED: true,
  WATCH_HISTORY_GONE: true,
  WATCHER_TOO_SLOW: true,
  ROLE_FORBIDS: true,
  UNAUTHENTICATED: true,
  WORK_TOO_LARGE: true,
  WORKER_LOST: true,
  BTF_TOO_EXPENSIVE: true,
  INTERNAL: true,
  SLOW_SENDER: true,
  BTF_UNSAFE: true,
  OBJECT_UNREADABLE: true,
  OBJECT_WITHOUT_BTF: true,
};

/** isErrorReason reports whether a reason is one of this release. `ErrorReason[name]` is its number then. */
export function isErrorReason(name: string | null): name is ErrorReasonName {
  return name !== null && Object.hasOwn(REASONS, name);
}

/**
 * errorDetailsOf returns the details in the trailers of an error, the `metadata` of a grpc-js `ServiceError`. Trailers
 * without details, or with malformed ones, make empty details.
 *
 * @param trailers the trailers. They may come from any copy of grpc-js.
 */
export function errorDetailsOf(trailers: { get(key: string): readonly unknown[] }): ErrorDetails {
  const [bytes] = trailers.get(STATUS_TRAILER);
  return bytes instanceof Uint8Array ? decodeStatus(bytes) : NO_DETAILS;
}

/**
 * decodeStatus returns the details in the bytes of a `google.rpc.Status`, the value of the trailer
 * {@link STATUS_TRAILER}. It skips details of other types and an ErrorInfo of another domain. It does not throw: bytes
 * that are malformed have no details, because code and message are more useful to a caller than an error about them.
 */
export function decodeStatus(bytes: Uint8Array): ErrorDetails {
  try {
    const details = { ...NO_DETAILS };
    // google.rpc.Status: code = 1, message = 2, details = 3.
    for (const detail of new FieldReader(bytes).messages(3)) Object.assign(details, detailOf(detail));
    return details;
  } catch {
    return NO_DETAILS;
  }
}

/** Returns the part of the details that is in a google.protobuf.Any: type_url = 1, value = 2. */
function detailOf(any: FieldReader): Partial<ErrorDetails> {
  const value = any.message(2);
  switch (any.text(1).replace(/^.*\//, '')) {
    case 'google.rpc.ErrorInfo':
      // reason = 1, domain = 2, metadata = 3.
      return value.text(2) === ERROR_DOMAIN ? { reason: value.text(1), metadata: value.map(3) } : {};
    case 'google.rpc.BadRequest':
      // field_violations = 1, each with field = 1, description = 2.
      return {
        fieldViolations: value
          .messages(1)
          .map((violation) => ({ field: violation.text(1), description: violation.text(2) })),
      };
    case 'google.rpc.QuotaFailure':
      // violations = 1, each with subject = 1, description = 2.
      return {
        quotaViolations: value
          .messages(1)
          .map((violation) => ({ subject: violation.text(1), description: violation.text(2) })),
      };
    case 'google.rpc.RetryInfo':
      // retry_delay = 1.
      return value.has(1) ? { retryDelay: Math.max(0, millisecondsOf(value.message(1))) } : {};
    default:
      return {};
  }
}

/** Returns the milliseconds of a google.protobuf.Duration: seconds = 1, nanos = 2. */
function millisecondsOf(duration: FieldReader): number {
  return (
    Number(duration.integer(1)) * 1000 + Math.round(Number(BigInt.asIntN(32, duration.integer(2))) / 1e6)
  );
}
