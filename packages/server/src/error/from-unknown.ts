import { readlinkSync } from 'node:fs';
import { ErrorReason } from '@btfd/api';
import { BtfReadError } from '@btfd/btf';
import { BpfError, BpfUnavailableError, type BpfCommand } from '@btfd/native';
import { errorCode } from './error-code.js';
import { ERRNO_REASONS } from './error-table.js';
import { fromReadError, ServiceError, type ServiceErrorDetail } from './service-error.js';

/** The name of the initial user namespace: its number is a constant of the kernel (PROC_USER_INIT_INO). */
const INITIAL_NAMESPACE = 'user:[4026531837]';

/** toServiceError returns the error that a client gets for any thrown value. An unknown one becomes INTERNAL, without its text. */
export function toServiceError(error: unknown): ServiceError {
  if (error instanceof ServiceError) return error;
  if (error instanceof BpfError) return fromBpfError(error);
  if (error instanceof BpfUnavailableError) {
    return new ServiceError(ErrorReason.KERNEL_LACKS_SUPPORT, error.message, { cause: error });
  }
  if (error instanceof BtfReadError) return fromReadError(error);
  // An error of Node, such as that of a file of sysfs.
  if (ERRNO_REASONS[errorCode(error)] === ErrorReason.OUT_OF_FILES) return outOfFiles({ cause: error });
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

/**
 * inUserNamespace reports whether this process runs in a user namespace other than the initial one, in which root has no
 * rights for bpf(2). It is false if the kernel does not say.
 *
 * @param link - the link that names the namespace
 */
export function inUserNamespace(link = '/proc/self/ns/user'): boolean {
  try {
    return readlinkSync(link) !== INITIAL_NAMESPACE;
  } catch {
    return false;
  }
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
