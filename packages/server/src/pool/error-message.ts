import { ErrorReason } from '@btfd/api';
import { BtfFormatError } from '@btfd/btf';
import { fromFormatError, ServiceError, type FieldViolation } from '../error/service-error.js';

/** ErrorMessage is an error on its way between threads, which lose the class of what they pass on. */
export interface ErrorMessage {
  readonly reason: ErrorReason;
  readonly message: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly violations: readonly FieldViolation[];
  /** For the daemon's log: where it was thrown. */
  readonly stack: string;
}

/** errorMessage is the message of anything that was thrown. */
export function errorMessage(error: unknown): ErrorMessage {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const { reason, message, metadata, violations } = serviceError(error);
  return { reason, message, metadata, violations, stack };
}

/** errorOf is the error of a message. */
export function errorOf({ reason, message, metadata, violations, stack }: ErrorMessage): ServiceError {
  const cause = new Error('in a worker');
  cause.stack = stack;
  return new ServiceError(reason, message, { metadata, violations, cause });
}

function serviceError(error: unknown): ServiceError {
  if (error instanceof ServiceError) return error;
  if (error instanceof BtfFormatError) return fromFormatError(error);
  return new ServiceError(ErrorReason.INTERNAL, 'internal error; the daemon’s log tells more');
}
