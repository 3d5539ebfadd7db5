import { ErrorReason } from '@btfd/api';
import type { BtfFormatError } from '@btfd/btf';

/** FieldViolation says what is wrong with a field of a request. */
export interface FieldViolation {
  /** Path of the field, such as `selection.names`. */
  readonly field: string;
  readonly description: string;
}

/** QuotaViolation says which quota has no room left. */
export interface QuotaViolation {
  /** Whose quota it is: `principal:uid:1000`, or `daemon` for the one of all together. */
  readonly subject: string;
  readonly description: string;
}

/** ServiceErrorDetail is what an error carries besides its reason and message. */
export interface ServiceErrorDetail {
  /** Goes into the `google.rpc.ErrorInfo`, under the keys that the reason's documentation names. */
  readonly metadata?: Readonly<Record<string, string>>;
  readonly violations?: readonly FieldViolation[];
  readonly quota?: QuotaViolation;
  /** After how many milliseconds it is worth trying again; absent where waiting alone does not help. */
  readonly retryMs?: number;
  readonly cause?: unknown;
}

/** ServiceError is a failure that a client is told, by reason. The error table knows its gRPC code. */
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

/** invalidRequest is the error for a bad field of a request. */
export function invalidRequest(field: string, description: string): ServiceError {
  return new ServiceError(ErrorReason.INVALID_REQUEST, `${field}: ${description}`, {
    violations: [{ field, description }],
  });
}

/** checkCount throws if a repeated field has more elements than allowed. */
export function checkCount(field: string, values: readonly unknown[], limit: number): void {
  if (values.length > limit)
    throw invalidRequest(field, `has ${values.length} elements; at most ${limit} are allowed`);
}

/** checkToken throws if a token is missing. */
export function checkToken(field: string, token: string): void {
  if (token === '') throw invalidRequest(field, 'is required');
}

/** fromFormatError makes the error that a client may see of BTF that can't be decoded. */
export function fromFormatError(error: BtfFormatError): ServiceError {
  return new ServiceError(ErrorReason.BTF_UNDECODABLE, `the BTF cannot be decoded: ${error.message}`, {
    metadata: {
      ...(error.offset === null ? {} : { offset: String(error.offset) }),
      ...(error.typeId === null ? {} : { type_id: String(error.typeId) }),
    },
    cause: error,
  });
}
