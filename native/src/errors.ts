import { getSystemErrorMap } from 'node:util';

/** BpfCommand is the call that failed: a command of bpf(2), or `dup` for fcntl(2) with F_DUPFD_CLOEXEC. */
export type BpfCommand =
  | 'BPF_BTF_LOAD'
  | 'BPF_BTF_GET_FD_BY_ID'
  | 'BPF_BTF_GET_NEXT_ID'
  | 'BPF_PROG_GET_FD_BY_ID'
  | 'BPF_PROG_GET_NEXT_ID'
  | 'BPF_MAP_GET_FD_BY_ID'
  | 'BPF_MAP_GET_NEXT_ID'
  | 'BPF_OBJ_GET_INFO_BY_FD'
  | 'BPF_PROG_LOAD'
  | 'BPF_TOKEN_CREATE'
  | 'dup';

/** VerifierLog is the kernel's log about BTF that it refused. */
export interface VerifierLog {
  /** The text without its NUL, usually UTF-8. Raw bytes, because names in it come from the sender of the BTF. */
  readonly text: Uint8Array;
  /** Whether a part of the text is missing: the head since Linux 6.4, the tail before. */
  readonly truncated: boolean;
  /** Size in bytes of the whole log with its NUL: a `logSize` that holds all of it. Null before Linux 6.4. */
  readonly trueSize: number | null;
}

/** BpfError is an error of the kernel: it refused a call of bpf(2). */
export class BpfError extends Error {
  override readonly name = 'BpfError';
  /** The errno, as a positive number. */
  readonly errno: number;
  /** The name of the errno, for example `ENOENT`: `ENOTSUPP` for the kernel's own 524, `E<n>` if it has no name. */
  readonly code: string;
  readonly command: BpfCommand;
  /** The kernel's log of a refused `BPF_BTF_LOAD`. Null if no log was requested or the kernel wrote nothing. */
  readonly log: VerifierLog | null;

  /** @param object - the object of the command, for example `id 7`, or null */
  constructor(command: BpfCommand, errno: number, object: string | null, log: VerifierLog | null) {
    const code = errnoName(errno);
    super(`${command}${object === null ? '' : ` of ${object}`}: ${code} (${errnoText(errno)})`);
    this.errno = errno;
    this.code = code;
    this.command = command;
    this.log = log;
  }
}

/** BpfUnavailableError means that the addon cannot be loaded. `cause` is the error of the loader, null if not on Linux. */
export class BpfUnavailableError extends Error {
  override readonly name = 'BpfUnavailableError';

  constructor(reason: string, cause: unknown) {
    super(`bpf(2) is not available: ${reason}`, { cause });
  }
}

/** SystemCallError is an error of the kernel: it refused a system call other than bpf(2). */
export class SystemCallError extends Error {
  override readonly name = 'SystemCallError';
  /** The errno, as a positive number. */
  readonly errno: number;
  /** The name of the errno, for example `ENOENT`. */
  readonly code: string;

  /** @param object - the object of the call, for example `fd 3` */
  constructor(call: string, object: string, errno: number) {
    const code = errnoName(errno);
    super(`${call} of ${object}: ${code} (${errnoText(errno)})`);
    this.errno = errno;
    this.code = code;
  }
}

/** BtfFdClosedError means that a {@link BtfFd} was used after its `close`. */
export class BtfFdClosedError extends Error {
  override readonly name = 'BtfFdClosedError';

  constructor(method: string) {
    super(`BtfFd.${method}: the file descriptor is closed`);
  }
}

/** Errnos of Linux that Node has no name for. */
const OTHER_ERRNOS: ReadonlyMap<number, readonly [string, string]> = new Map([
  // SCM_RIGHTS of unix(7).
  [109, ['ETOOMANYREFS', 'too many references: cannot splice']],
  // The kernel's internal one. It was never meant for user space, but bpf(2) returns it. No libc has a name for it.
  [524, ['ENOTSUPP', 'operation is not supported']],
]);

function errnoName(errno: number): string {
  return (OTHER_ERRNOS.get(errno) ?? getSystemErrorMap().get(-errno))?.[0] ?? `E${errno}`;
}

function errnoText(errno: number): string {
  return (OTHER_ERRNOS.get(errno) ?? getSystemErrorMap().get(-errno))?.[1] ?? 'unknown error';
}
