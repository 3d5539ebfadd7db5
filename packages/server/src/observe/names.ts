import { ErrorReason } from '@btfd/api';
import { status } from '@grpc/grpc-js';

/** codeName is the name of a gRPC code, such as NOT_FOUND. */
export function codeName(code: status): string {
  return status[code] ?? 'UNKNOWN';
}

/** reasonName is the name of a reason, such as HANDLE_NOT_FOUND; empty for none. */
export function reasonName(reason: ErrorReason | null): string {
  return reason === null ? '' : (ErrorReason[reason] ?? '');
}
