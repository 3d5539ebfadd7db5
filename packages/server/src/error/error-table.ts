import { ErrorReason } from '@btfd/api';
import { status } from '@grpc/grpc-js';

/** ERROR_CODES is the gRPC code of each reason. Nothing else decides it. */
export const ERROR_CODES: Readonly<Record<ErrorReason, status>> = {
  [ErrorReason.UNSPECIFIED]: status.INTERNAL,
  [ErrorReason.BTF_ID_NOT_FOUND]: status.NOT_FOUND,
  [ErrorReason.HANDLE_NOT_FOUND]: status.NOT_FOUND,
  [ErrorReason.HANDLE_OF_EARLIER_DAEMON]: status.NOT_FOUND,
  [ErrorReason.NAME_NOT_FOUND]: status.NOT_FOUND,
  [ErrorReason.VERIFIER_REJECTED]: status.INVALID_ARGUMENT,
  [ErrorReason.BTF_TOO_LARGE]: status.INVALID_ARGUMENT,
  [ErrorReason.INVALID_REQUEST]: status.INVALID_ARGUMENT,
  [ErrorReason.MISSING_BASE]: status.FAILED_PRECONDITION,
  [ErrorReason.KERNEL_WITHOUT_BTF]: status.FAILED_PRECONDITION,
  [ErrorReason.OPERATION_UNAVAILABLE]: status.FAILED_PRECONDITION,
  [ErrorReason.DAEMON_LACKS_CAPABILITY]: status.PERMISSION_DENIED,
  [ErrorReason.OUT_OF_FILES]: status.RESOURCE_EXHAUSTED,
  [ErrorReason.OUT_OF_MEMORY]: status.RESOURCE_EXHAUSTED,
  [ErrorReason.HOLD_STALLED]: status.RESOURCE_EXHAUSTED,
  [ErrorReason.SLOW_READER]: status.RESOURCE_EXHAUSTED,
  [ErrorReason.SLOW_SENDER]: status.RESOURCE_EXHAUSTED,
  [ErrorReason.MESSAGE_TOO_LARGE]: status.RESOURCE_EXHAUSTED,
  [ErrorReason.KERNEL_LACKS_SUPPORT]: status.UNIMPLEMENTED,
  [ErrorReason.OUTPUT_TOO_LARGE]: status.RESOURCE_EXHAUSTED,
  [ErrorReason.LOAD_QUEUE_FULL]: status.RESOURCE_EXHAUSTED,
  [ErrorReason.BTF_UNBUILDABLE]: status.INVALID_ARGUMENT,
  [ErrorReason.SHUTTING_DOWN]: status.UNAVAILABLE,
  [ErrorReason.BTF_UNDECODABLE]: status.DATA_LOSS,
  [ErrorReason.QUOTA_EXCEEDED]: status.RESOURCE_EXHAUSTED,
  [ErrorReason.WATCH_HISTORY_GONE]: status.OUT_OF_RANGE,
  [ErrorReason.WATCHER_TOO_SLOW]: status.RESOURCE_EXHAUSTED,
  [ErrorReason.INTERNAL]: status.INTERNAL,
  [ErrorReason.WORK_TOO_LARGE]: status.RESOURCE_EXHAUSTED,
  [ErrorReason.WORKER_LOST]: status.UNAVAILABLE,
  [ErrorReason.BTF_TOO_EXPENSIVE]: status.INVALID_ARGUMENT,
  [ErrorReason.BTF_UNSAFE]: status.INVALID_ARGUMENT,
  [ErrorReason.OBJECT_UNREADABLE]: status.INVALID_ARGUMENT,
  [ErrorReason.OBJECT_WITHOUT_BTF]: status.INVALID_ARGUMENT,
  [ErrorReason.ROLE_FORBIDS]: status.PERMISSION_DENIED,
  [ErrorReason.UNAUTHENTICATED]: status.UNAUTHENTICATED,
};

/**
 * ERRNO_REASONS is the reason for each errno of bpf(2) that means the same for every command. Every other errno is
 * INTERNAL, unless the code that made the call knows more: ENOENT of an id, EINVAL of the kernel's check of BTF.
 */
export const ERRNO_REASONS: Readonly<Record<string, ErrorReason>> = {
  EPERM: ErrorReason.DAEMON_LACKS_CAPABILITY,
  EACCES: ErrorReason.DAEMON_LACKS_CAPABILITY,
  EMFILE: ErrorReason.OUT_OF_FILES,
  ENFILE: ErrorReason.OUT_OF_FILES,
  ENOMEM: ErrorReason.OUT_OF_MEMORY,
  ENOSYS: ErrorReason.KERNEL_LACKS_SUPPORT,
  ENOTSUPP: ErrorReason.KERNEL_LACKS_SUPPORT,
  // Node's name of EOPNOTSUPP.
  ENOTSUP: ErrorReason.KERNEL_LACKS_SUPPORT,
};

/** codeName returns the name of a gRPC code, such as NOT_FOUND. */
export function codeName(code: status): string {
  return status[code] ?? 'UNKNOWN';
}

/** reasonName returns the name of a reason, such as HANDLE_NOT_FOUND. For null it returns ''. */
export function reasonName(reason: ErrorReason | null): string {
  return reason === null ? '' : (ErrorReason[reason] ?? '');
}
