import type { ErrorReason } from '@btfd/api';

/** FieldViolation says what is wrong with a field of a request. */
export interface FieldViolation {
  /** Path of the field, such as `selection.names`. */
  readonly field: string;
  readonly description: string;
}

/** ServiceErrorDetail is what an error carries besides its reason and message. */
export interface ServiceErrorDetail {
  /** Goes into the `google.rpc.ErrorInfo`, under the keys that the reason's documentation names. */
  readonly metadata?: Readonly<Record<string, string>>;
  readonly violations?: readonly FieldViolation[];
  readonly cause?: unknown;
}

/** ServiceError is a failure that a client is told, by reason. The error table knows its gRPC code. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  readonly metadata: Readonly<Record<string, string>>;
  readonly violations: readonly FieldViolation[];

  constructor(
    readonly reason: ErrorReason,
    message: string,
    { metadata = {}, violations = [], cause }: ServiceErrorDetail = {},
  ) {
    super(message, { cause });
    this.metadata = metadata;
    this.violations = violations;
  }
}
