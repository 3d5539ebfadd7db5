import { encodeStatus, type ErrorDetails, ErrorReason, isErrorReason } from '@btfd/api';
import { errorDetailsOf, withErrorDetails } from '@btfd/api/grpc-js';
import { Metadata, type StatusObject } from '@grpc/grpc-js';
import { ERROR_CODES } from './error-table.js';
import type { ServiceError } from './service-error.js';

/** 4 KiB: clients hang on trailers of 64 KiB, and some stop near 8 KiB. */
const MAX_STATUS_BYTES = 4096;
/** The message is sent twice: in the details, and percent-encoded in its own trailer. */
const MAX_MESSAGE_BYTES = 1024;
const MAX_VIOLATIONS = 10;
/** Shorter texts are not shortened. */
const MIN_TEXT_LENGTH = 16;

/** toStatus makes the gRPC status of an error, with its details within 4 KiB. */
export function toStatus(error: ServiceError): Pick<StatusObject, 'code' | 'details' | 'metadata'> {
  const code = ERROR_CODES[error.reason];
  const details = messageWithin(error.message);
  const metadata = withErrorDetails(new Metadata(), code, details, detailsWithin(error, code, details));
  return { code, details, metadata };
}

/** reasonInStatus returns the reason in the trailers of a status, or null if they have none of ours. */
export function reasonInStatus(trailers: Metadata): ErrorReason | null {
  const { reason } = errorDetailsOf(trailers);
  return isErrorReason(reason) ? ErrorReason[reason] : null;
}

function messageWithin(message: string): string {
  let text = message.toWellFormed();
  while (encodeURI(text).length > MAX_MESSAGE_BYTES) text = shorten(text, (text.length * 7) >> 3);
  return text;
}

/** Returns the details of an error. It shortens the longest text until the status fits, and keeps the tail of a log. */
function detailsWithin(error: ServiceError, code: number, message: string): ErrorDetails {
  const { quota } = error;
  const metadata = { ...error.metadata };
  const fieldViolations = error.violations.slice(0, MAX_VIOLATIONS).map(({ field, description }) => ({
    field: shorten(field, 100),
    description: shorten(description, 200),
  }));
  const details = {
    reason: ErrorReason[error.reason],
    metadata,
    fieldViolations,
    quotaViolations:
      quota === null
        ? []
        : [{ subject: shorten(quota.subject, 200), description: shorten(quota.description, 200) }],
    retryDelay: error.retryMs,
  };
  for (;;) {
    if (encodeStatus(code, message, details).length <= MAX_STATUS_BYTES) return details;
    const longest = Object.entries(metadata).toSorted(([, a], [, b]) => b.length - a.length)[0];
    const [key, text] = longest ?? ['', ''];
    if (text.length < MIN_TEXT_LENGTH) {
      // Many short texts: violations go first, then the metadata that came last.
      if (fieldViolations.pop() === undefined) delete metadata[Object.keys(metadata).at(-1) ?? ''];
    } else if (key === 'log') {
      metadata[key] = text.slice(text.length >> 3).toWellFormed();
      metadata['log_truncated'] = 'true';
    } else {
      metadata[key] = shorten(text, text.length >> 1);
    }
  }
}

function shorten(text: string, length: number): string {
  return text.length <= length
    ? text.toWellFormed()
    : `${text.slice(0, Math.max(0, length - 1)).toWellFormed()}…`;
}
