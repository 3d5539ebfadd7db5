import { ErrorReason } from '@btfd/api';
import type { BtfReadError } from '@btfd/btf';

/** FieldViolation describes what is wrong with a field of a request. */
export interface FieldViolation {
  /** Path of the field, such as `selection.names`. */
  readonly field: string;
  readonly description: string;
}

/** QuotaViolation describes the quota that has no room left. */
export interface QuotaViolation {
  /** The owner of the quota: `principal:uid:1000`, or `daemon` for the quota of all callers together. */
  readonly subject: string;
  readonly description: string;
}

/** ServiceErrorDetail is everything in an error except its reason and message. */
export interface ServiceErrorDetail {
  /** Becomes the metadata of `google.rpc.ErrorInfo`. The documentation of the reason names its keys. */
  readonly metadata?: Readonly<Record<string, string>>;
  readonly violations?: readonly FieldViolation[];
  readonly quota?: QuotaViolation;
  /** When to try again, in milliseconds from now. Absent if waiting alone does not help. */
  readonly retryMs?: number;
  readonly cause?: unknown;
}

/** ServiceError is a failure that the client gets with a reason. The error table has its gRPC code. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  readonly metadata: Readonly<Record<string, string>>;
  readonly violations: readonly FieldViolation[];
  readonly quota: QuotaViolation | null;
  readonly retryMs: number | null;

  constructor(
    readonly reason: ErrorReason,
    message: string,
    { metadata = {}, violations = [], quota, retryMs, cause }: ServiceErrorDetail = {},
  ) {
    super(message, { cause });
    this.metadata = metadata;
    this.violations = violations;
    this.quota = quota ?? null;
    this.retryMs = retryMs ?? null;
  }
}

/** invalidRequest returns the error for an invalid field of a request. */
export function invalidRequest(field: string, description: string): ServiceError {
  return new ServiceError(ErrorReason.INVALID_REQUEST, `${field}: ${description}`, {
    violations: [{ field, description }],
  });
}

/**
 * checkCount checks the number of elements of a repeated field.
 *
 * @throws ServiceError INVALID_REQUEST if there are more than allowed.
 */
export function checkCount(field: string, values: readonly unknown[], limit: number): void {
  if (values.length > limit)
    throw invalidRequest(field, `has ${values.length} elements; at most ${limit} are allowed`);
}

/**
 * checkToken checks that a request has a token.
 *
 * @throws ServiceError INVALID_REQUEST if it has none.
 */
export function checkToken(field: string, token: string): void {
  if (token === '') throw invalidRequest(field, 'is required');
}

/** fromReadError returns the error that a client gets for BTF that cannot be decoded. */
export function fromReadError(error: BtfReadError): ServiceError {
  return new ServiceError(ErrorReason.BTF_UNDECODABLE, `the BTF cannot be decoded: ${error.message}`, {
    metadata: {
      ...(error.offset === null ? {} : { offset: String(error.offset) }),
      ...(error.typeId === null ? {} : { type_id: String(error.typeId) }),
    },
    cause: error,
  });
}
