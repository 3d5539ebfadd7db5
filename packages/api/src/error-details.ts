import { create, toBinary } from '@bufbuild/protobuf';
import { type Any, anyPack, durationFromMs } from '@bufbuild/protobuf/wkt';
import { ERROR_DOMAIN, type ErrorDetails, NO_DETAILS } from './errors.js';
import {
  BadRequestSchema,
  ErrorInfoSchema,
  QuotaFailureSchema,
  RetryInfoSchema,
} from './gen/google/rpc/error_details_pb.js';
import { StatusSchema } from './gen/google/rpc/status_pb.js';

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
