import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { type Any, anyPack, anyUnpack, durationFromMs, durationMs } from '@bufbuild/protobuf/wkt';
import { ErrorReason } from './gen/btf/v1/errors_pb.js';
import {
  BadRequestSchema,
  ErrorInfoSchema,
  QuotaFailureSchema,
  RetryInfoSchema,
} from './gen/google/rpc/error_details_pb.js';
import { StatusSchema } from './gen/google/rpc/status_pb.js';

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

const NO_DETAILS: ErrorDetails = {
  reason: null,
  metadata: {},
  fieldViolations: [],
  quotaViolations: [],
  retryDelay: null,
};

/**
 * encodeStatus returns an error as the bytes of a `google.rpc.Status`, the value of the trailer
 * {@link STATUS_TRAILER}.
 *
 * @param code the gRPC status code.
 * @param details the details. Default of each: none.
 */
export function encodeStatus(code: number, message: string, details: Partial<ErrorDetails>): Uint8Array {
  return toBinary(StatusSchema, create(StatusSchema, { code, message, details: packed(details) }));
}

function packed(init: Partial<ErrorDetails>): Any[] {
  const { reason, metadata, fieldViolations, quotaViolations, retryDelay } = { ...NO_DETAILS, ...init };
  const details: Any[] = [];
  if (reason !== null) {
    const info = create(ErrorInfoSchema, { reason, domain: ERROR_DOMAIN, metadata: { ...metadata } });
    details.push(anyPack(ErrorInfoSchema, info));
  }
  if (fieldViolations.length > 0) {
    const badRequest = create(BadRequestSchema, { fieldViolations: [...fieldViolations] });
    details.push(anyPack(BadRequestSchema, badRequest));
  }
  if (quotaViolations.length > 0) {
    const quotaFailure = create(QuotaFailureSchema, { violations: [...quotaViolations] });
    details.push(anyPack(QuotaFailureSchema, quotaFailure));
  }
  if (retryDelay !== null) {
    const retryInfo = create(RetryInfoSchema, { retryDelay: durationFromMs(Math.ceil(retryDelay)) });
    details.push(anyPack(RetryInfoSchema, retryInfo));
  }
  return details;
}

/**
 * decodeStatus returns the details in the bytes of a `google.rpc.Status`, the value of the trailer
 * {@link STATUS_TRAILER}. It skips details of other types and an ErrorInfo of another domain. It does not throw: bytes
 * that are malformed have no details, because code and message are more useful to a caller than an error about them.
 */
export function decodeStatus(bytes: Uint8Array): ErrorDetails {
  let { reason, metadata, fieldViolations, quotaViolations, retryDelay } = NO_DETAILS;
  try {
    for (const detail of fromBinary(StatusSchema, bytes).details) {
      const info = anyUnpack(detail, ErrorInfoSchema);
      if (info?.domain === ERROR_DOMAIN) ({ reason, metadata } = info);
      const badRequest = anyUnpack(detail, BadRequestSchema);
      if (badRequest !== undefined) {
        fieldViolations = badRequest.fieldViolations.map(({ field, description }) => ({
          field,
          description,
        }));
      }
      const quotaFailure = anyUnpack(detail, QuotaFailureSchema);
      if (quotaFailure !== undefined) {
        quotaViolations = quotaFailure.violations.map(({ subject, description }) => ({
          subject,
          description,
        }));
      }
      const retryInfo = anyUnpack(detail, RetryInfoSchema);
      if (retryInfo?.retryDelay !== undefined) retryDelay = Math.max(0, durationMs(retryInfo.retryDelay));
    }
  } catch {
    return NO_DETAILS;
  }
  return { reason, metadata, fieldViolations, quotaViolations, retryDelay };
}

/** isErrorReason reports whether a reason is one of this release. `ErrorReason[name]` is its number then. */
export function isErrorReason(name: string | null): name is ErrorReasonName {
  return name !== null && name !== 'UNSPECIFIED' && Object.hasOwn(ErrorReason, name) && !/^\d/.test(name);
}
