import { ErrorReason } from '@btfd/api';
import { BtfReadError } from '@btfd/btf';
import { fromReadError, ServiceError, type FieldViolation } from '../error/service-error.js';

/** ErrorMessage is an error in a message between threads. Messages lose the class of an object. */
export interface ErrorMessage {
  readonly reason: ErrorReason;
  readonly message: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly violations: readonly FieldViolation[];
  /** Where it was thrown, for the daemon's log. */
  readonly stack: string;
}

/** errorMessage returns the message for anything that was thrown. */
export function errorMessage(error: unknown): ErrorMessage {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const { reason, message, metadata, violations } = serviceError(error);
  return { reason, message, metadata, violations, stack };
}

/** errorOf returns the error in a message. */
export function errorOf({ reason, message, metadata, violations, stack }: ErrorMessage): ServiceError {
  const cause = new Error('in a worker');
  cause.stack = stack;
  return new ServiceError(reason, message, { metadata, violations, cause });
}

function serviceError(error: unknown): ServiceError {
  if (error instanceof ServiceError) return error;
  if (error instanceof BtfReadError) return fromReadError(error);
  return new ServiceError(ErrorReason.INTERNAL, 'internal error: see the daemon’s log');
}
