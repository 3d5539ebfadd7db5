import { create, toBinary } from '@bufbuild/protobuf';
import { type Any, anyPack } from '@bufbuild/protobuf/wkt';
import {
  BadRequestSchema,
  ERROR_DOMAIN,
  ErrorInfoSchema,
  QuotaFailureSchema,
  RetryInfoSchema,
  StatusSchema,
} from '@btfd/api';
import { Metadata, type StatusObject } from '@grpc/grpc-js';
import { BtfError } from '../error/btf-error.js';
import { durationFromMs } from '../base/duration.js';

/** fakeStatus is an error as a daemon sends it: code and message, and the rest as details in the trailer. */
export function fakeStatus(error: unknown): StatusObject {
  const { code, rawMessage: message, ...rest } = BtfError.from(error);
  const trailers = new Metadata();
  const status = create(StatusSchema, { code, message, details: detailsOf(rest) });
  trailers.set('grpc-status-details-bin', Buffer.from(toBinary(StatusSchema, status)));
  return { code, details: message, metadata: trailers };
}

function detailsOf({
  reason,
  metadata,
  fieldViolations,
  quotaViolations,
  retryDelay,
}: Pick<BtfError, 'reason' | 'metadata' | 'fieldViolations' | 'quotaViolations' | 'retryDelay'>): Any[] {
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
    const quota = create(QuotaFailureSchema, { violations: [...quotaViolations] });
    details.push(anyPack(QuotaFailureSchema, quota));
  }
  if (retryDelay !== null) {
    const retry = create(RetryInfoSchema, { retryDelay: durationFromMs(retryDelay) });
    details.push(anyPack(RetryInfoSchema, retry));
  }
  return details;
}
