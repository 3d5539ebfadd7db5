import type { ErrorReason } from '@btfd/api';

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
