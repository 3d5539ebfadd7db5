import { errnoName, errnoText } from './errno.js';
import type { VerifierLog } from './verifier-log.js';

/** BpfCommand names the call that failed: a command of bpf(2), or `dup` for fcntl(2) with F_DUPFD_CLOEXEC. */
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
  | 'dup';

/** BpfError is a call that the kernel refused. */
export class BpfError extends Error {
  override readonly name = 'BpfError';
  /** The errno, as a positive number. */
  readonly errno: number;
  /** The errno's name: `ENOENT`; `ENOTSUPP` for the kernel's own 524; `E<n>` where there is none. */
  readonly code: string;
  readonly command: BpfCommand;
  /** What the verifier wrote, for a refused `BPF_BTF_LOAD`; null where no log was asked for or nothing was written. */
  readonly log: VerifierLog | null;

  /** @param object - what the command was about, such as `id 7`; null where there is nothing to say */
  constructor(command: BpfCommand, errno: number, object: string | null, log: VerifierLog | null) {
    const code = errnoName(errno);
    super(`${command}${object === null ? '' : ` of ${object}`}: ${code} (${errnoText(errno)})`);
    this.errno = errno;
    this.code = code;
    this.command = command;
    this.log = log;
  }
}

/** BpfUnavailableError says that the addon can't be loaded: not Linux, or not built. `cause` is the loader's error. */
export class BpfUnavailableError extends Error {
  override readonly name = 'BpfUnavailableError';

  constructor(reason: string, cause: unknown) {
    super(`bpf(2) is not available: ${reason}`, { cause });
  }
}

/** SystemCallError is a call other than bpf(2) that the kernel refused. */
export class SystemCallError extends Error {
  override readonly name = 'SystemCallError';
  /** The errno, as a positive number. */
  readonly errno: number;
  /** The errno's name: `ENOENT`. */
  readonly code: string;

  /** @param object - what the call was about, such as `fd 3` */
  constructor(call: string, object: string, errno: number) {
    const code = errnoName(errno);
    super(`${call} of ${object}: ${code} (${errnoText(errno)})`);
    this.errno = errno;
    this.code = code;
  }
}

/** BtfFdClosedError is the use of a {@link BtfFd} after its `close`. */
export class BtfFdClosedError extends Error {
  override readonly name = 'BtfFdClosedError';

  constructor(method: string) {
    super(`BtfFd.${method}: the file descriptor is closed`);
  }
}
