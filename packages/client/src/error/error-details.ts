import { fromBinary } from '@bufbuild/protobuf';
import { anyUnpack } from '@bufbuild/protobuf/wkt';
import {
  BadRequestSchema,
  ERROR_DOMAIN,
  ErrorInfoSchema,
  QuotaFailureSchema,
  RetryInfoSchema,
  StatusSchema,
} from '@btfd/api';
import { msFromDuration } from '../base/duration.js';

/** FieldViolation says what is wrong with a field of a request. */
export interface FieldViolation {
  /** The path of the field in the request message. */
  readonly field: string;
  readonly description: string;
}

/** QuotaViolation says which quota a call would have exceeded. */
export interface QuotaViolation {
  /** Whose quota it is, such as a principal. */
  readonly subject: string;
  readonly description: string;
}

/** ErrorDetails is what the daemon attaches to an error. */
export interface ErrorDetails {
  /** The name of an `ErrorReason`; empty where the daemon told none. */
  readonly reason: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly fieldViolations: readonly FieldViolation[];
  readonly quotaViolations: readonly QuotaViolation[];
  /** When to come back, in milliseconds; null where the daemon told nothing. */
  readonly retryDelay: number | null;
}

/** NO_DETAILS are the details of an error that came without any. */
export const NO_DETAILS: ErrorDetails = {
  reason: '',
  metadata: {},
  fieldViolations: [],
  quotaViolations: [],
  retryDelay: null,
};

/** decodeErrorDetails reads the trailer `grpc-status-details-bin`, which holds a `google.rpc.Status`. */
export function decodeErrorDetails(trailer: Uint8Array): ErrorDetails {
  let { reason, metadata, fieldViolations, quotaViolations, retryDelay } = NO_DETAILS;
  try {
    for (const detail of fromBinary(StatusSchema, trailer).details) {
      const info = anyUnpack(detail, ErrorInfoSchema);
      if (info?.domain === ERROR_DOMAIN) ({ reason, metadata } = info);
      const badRequest = anyUnpack(detail, BadRequestSchema);
      if (badRequest !== undefined) {
        fieldViolations = badRequest.fieldViolations.map(({ field, description }) => ({
          field,
          description,
        }));
      }
      const quota = anyUnpack(detail, QuotaFailureSchema);
      if (quota !== undefined) {
        quotaViolations = quota.violations.map(({ subject, description }) => ({ subject, description }));
      }
      const retry = anyUnpack(detail, RetryInfoSchema);
      if (retry?.retryDelay !== undefined) retryDelay = Math.max(0, msFromDuration(retry.retryDelay));
    }
  } catch {
    // Code and message of the error say more to its reader than that its details are malformed.
    return NO_DETAILS;
  }
  return { reason, metadata, fieldViolations, quotaViolations, retryDelay };
}
