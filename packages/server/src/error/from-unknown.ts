import { ErrorReason } from '@btfd/api';
import { BtfFormatError } from '@btfd/btf';
import { BpfError, BpfUnavailableError, type BpfCommand } from '@btfd/native';
import { ERRNO_REASONS } from './error-table.js';
import { fromFormatError, ServiceError, type ServiceErrorDetail } from './service-error.js';
import { inUserNamespace } from './user-namespace.js';

/** toServiceError returns the error that a client gets for any thrown value. An unknown one becomes INTERNAL, without its text. */
export function toServiceError(error: unknown): ServiceError {
  if (error instanceof ServiceError) return error;
  if (error instanceof BpfError) return fromBpfError(error);
  if (error instanceof BpfUnavailableError) {
    return new ServiceError(ErrorReason.KERNEL_LACKS_SUPPORT, error.message, { cause: error });
  }
  if (error instanceof BtfFormatError) return fromFormatError(error);
  if (isOutOfFiles(error)) return outOfFiles({ cause: error });
  return new ServiceError(ErrorReason.INTERNAL, 'internal error: see the daemon’s log', {
    cause: error,
  });
}

/**
 * outOfFiles returns the error that a client gets if the daemon could open no file.
 *
 * @param detail - its cause, and when to try again
 */
export function outOfFiles(detail: Pick<ServiceErrorDetail, 'cause' | 'retryMs'>): ServiceError {
  return new ServiceError(
    ErrorReason.OUT_OF_FILES,
    'the daemon has as many open files as it may have',
    detail,
  );
}

/** Reports whether an error of Node says that no file can be opened, such as one of sysfs. */
function isOutOfFiles(error: unknown): boolean {
  if (!(error instanceof Error && 'code' in error && typeof error.code === 'string')) return false;
  return ERRNO_REASONS[error.code] === ErrorReason.OUT_OF_FILES;
}

function fromBpfError(error: BpfError): ServiceError {
  const reason = ERRNO_REASONS[error.code];
  const metadata = { command: error.command, errno_name: error.code };
  if (reason === undefined) {
    return new ServiceError(ErrorReason.INTERNAL, 'internal error: see the daemon’s log', {
      cause: error,
    });
  }
  if (reason === ErrorReason.DAEMON_LACKS_CAPABILITY) {
    const needed = CAPABILITY_NEEDED[error.command] ?? 'CAP_SYS_ADMIN';
    const refused = `the kernel refused ${error.command} with ${error.code}`;
    const message = inUserNamespace()
      ? `the daemon lacks ${needed} in the initial user namespace, and runs in another one: ${refused}`
      : `the daemon lacks ${needed}: ${refused}`;
    return new ServiceError(reason, message, { metadata, cause: error });
  }
  return new ServiceError(reason, error.message, { metadata, cause: error });
}

const CAPABILITY_NEEDED: Partial<Record<BpfCommand, string>> = {
  BPF_BTF_LOAD: 'CAP_BPF',
  BPF_PROG_LOAD: 'CAP_BPF',
};
