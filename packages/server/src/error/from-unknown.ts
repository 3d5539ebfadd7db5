import { readlinkSync } from 'node:fs';
import { ErrorReason } from '@btfd/api';
import { BtfReadError } from '@btfd/btf';
import { BpfError, BpfUnavailableError, type BpfCommand, type Capabilities } from '@btfd/native';
import { errorCode } from './error-code.js';
import { ERRNO_REASONS } from './error-table.js';
import { fromReadError, ServiceError, type ServiceErrorDetail } from './service-error.js';

/** The name of the initial user namespace: its number is a constant of the kernel (PROC_USER_INIT_INO). */
const INITIAL_NAMESPACE = 'user:[4026531837]';

/** Rights are the capabilities that bpf(2) asks for. */
export type Rights = Pick<Capabilities, 'sysAdmin' | 'bpf'>;

/**
 * toServiceError returns the error that a client gets for any thrown value. An unknown one becomes INTERNAL, without its text.
 *
 * @param rights those of the daemon, which show whether the kernel refused for a lack of them; null if they are not known
 */
export function toServiceError(error: unknown, rights: Rights | null = null): ServiceError {
  if (error instanceof ServiceError) return error;
  if (error instanceof BpfError) return fromBpfError(error, rights);
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

function fromBpfError(error: BpfError, rights: Rights | null): ServiceError {
  const reason = ERRNO_REASONS[error.code];
  const metadata = { command: error.command, errno_name: error.code };
  if (reason === undefined) {
    return new ServiceError(ErrorReason.INTERNAL, 'internal error: see the daemon’s log', {
      cause: error,
    });
  }
  if (reason === ErrorReason.DAEMON_LACKS_CAPABILITY) {
    return new ServiceError(reason, whyRefused(error, rights), { metadata, cause: error });
  }
  return new ServiceError(reason, error.message, { metadata, cause: error });
}

function whyRefused({ command, code }: BpfError, rights: Rights | null): string {
  const needed = NEED_BPF.has(command) ? 'CAP_BPF' : 'CAP_SYS_ADMIN';
  const refused = `the kernel refused ${command} with ${code}`;
  if (inUserNamespace()) {
    return `the daemon lacks ${needed} in the initial user namespace, and runs in another one: ${refused}`;
  }
  if (rights === null)
    return `${refused}: the daemon needs ${needed}, and a seccomp filter or a security module may forbid it`;
  // The kernel accepts CAP_SYS_ADMIN wherever it asks for CAP_BPF.
  const has = rights.sysAdmin ? 'CAP_SYS_ADMIN' : rights.bpf && needed === 'CAP_BPF' ? needed : null;
  return has === null
    ? `the daemon lacks ${needed}: ${refused}`
    : `${refused}, although the daemon has ${has}: a seccomp filter or a security module forbids it`;
}

/** The commands for which CAP_BPF is enough. */
const NEED_BPF: ReadonlySet<BpfCommand> = new Set(['BPF_BTF_LOAD', 'BPF_PROG_LOAD']);
