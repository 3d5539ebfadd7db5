import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { anyPack, anyUnpack, durationFromMs, type Any } from '@bufbuild/protobuf/wkt';
import {
  BadRequestSchema,
  ERROR_DOMAIN,
  ErrorInfoSchema,
  ErrorReason,
  QuotaFailureSchema,
  RetryInfoSchema,
  StatusSchema,
} from '@btfd/api';
import { Metadata, type StatusObject } from '@grpc/grpc-js';
import { ERROR_CODES } from './error-table.js';
import type { FieldViolation, ServiceError } from './service-error.js';

/** 4 KiB: clients hang on trailers of 64 KiB, and some stop near 8 KiB. */
const MAX_STATUS_BYTES = 4096;
/** The message travels a second time, percent-encoded, beside the details. */
const MAX_MESSAGE_BYTES = 1024;
const MAX_VIOLATIONS = 10;
/** Shorter texts aren't worth shortening. */
const MIN_TEXT_LENGTH = 16;

/** toStatus makes the gRPC status of an error, with its details within 4 KiB. */
export function toStatus(error: ServiceError): Pick<StatusObject, 'code' | 'details' | 'metadata'> {
  const code = ERROR_CODES[error.reason];
  const details = messageWithin(error.message);
  const trailers = new Metadata();
  trailers.set('grpc-status-details-bin', Buffer.from(encodeWithin(error, code, details)));
  return { code, details, metadata: trailers };
}

const REASONS: ReadonlyMap<string, ErrorReason> = new Map(
  Object.entries(ErrorReason).flatMap(([name, reason]) =>
    typeof reason === 'number' ? [[name, reason]] : [],
  ),
);

/** reasonInStatus returns the reason in the trailers of a status; null if they have none of ours. */
export function reasonInStatus(trailers: Metadata): ErrorReason | null {
  const [bytes] = trailers.get('grpc-status-details-bin');
  if (!Buffer.isBuffer(bytes)) return null;
  for (const any of fromBinary(StatusSchema, new Uint8Array(bytes)).details) {
    const info = anyUnpack(any, ErrorInfoSchema);
    if (info?.domain === ERROR_DOMAIN) return REASONS.get(info.reason) ?? null;
  }
  return null;
}

function messageWithin(message: string): string {
  let text = message.toWellFormed();
  while (encodeURI(text).length > MAX_MESSAGE_BYTES) text = shorten(text, (text.length * 7) >> 3);
  return text;
}

/** Shortens the longest text of the error until the whole fits; of a log the tail is kept. */
function encodeWithin(error: ServiceError, code: number, message: string): Uint8Array {
  const metadata = { ...error.metadata };
  const violations = error.violations.slice(0, MAX_VIOLATIONS).map(({ field, description }) => ({
    field: shorten(field, 100),
    description: shorten(description, 200),
  }));
  const limits = limitDetails(error);
  for (;;) {
    const bytes = encode(error.reason, code, message, metadata, violations, limits);
    if (bytes.length <= MAX_STATUS_BYTES) return bytes;
    const longest = Object.entries(metadata).toSorted(([, a], [, b]) => b.length - a.length)[0];
    const [key, text] = longest ?? ['', ''];
    if (text.length < MIN_TEXT_LENGTH) {
      // Many short texts: violations go first, then the metadata that came last.
      if (violations.pop() === undefined) delete metadata[Object.keys(metadata).at(-1) ?? ''];
    } else if (key === 'log') {
      metadata[key] = text.slice(text.length >> 3).toWellFormed();
      metadata['log_truncated'] = 'true';
    } else {
      metadata[key] = shorten(text, text.length >> 1);
    }
  }
}

function encode(
  reason: ErrorReason,
  code: number,
  message: string,
  metadata: Record<string, string>,
  fieldViolations: FieldViolation[],
  others: readonly Any[],
): Uint8Array {
  const info = create(ErrorInfoSchema, { reason: ErrorReason[reason], domain: ERROR_DOMAIN, metadata });
  const details = [anyPack(ErrorInfoSchema, info)];
  if (fieldViolations.length > 0) {
    details.push(anyPack(BadRequestSchema, create(BadRequestSchema, { fieldViolations })));
  }
  details.push(...others);
  return toBinary(StatusSchema, create(StatusSchema, { code, message, details }));
}

/** Which quota is used up, and when to come again. */
function limitDetails({ quota, retryMs }: ServiceError): Any[] {
  const details: Any[] = [];
  if (quota !== null) {
    const violations = [
      { subject: shorten(quota.subject, 200), description: shorten(quota.description, 200) },
    ];
    details.push(anyPack(QuotaFailureSchema, create(QuotaFailureSchema, { violations })));
  }
  if (retryMs !== null) {
    const retryDelay = durationFromMs(retryMs);
    details.push(anyPack(RetryInfoSchema, create(RetryInfoSchema, { retryDelay })));
  }
  return details;
}

function shorten(text: string, length: number): string {
  return text.length <= length
    ? text.toWellFormed()
    : `${text.slice(0, Math.max(0, length - 1)).toWellFormed()}…`;
}
