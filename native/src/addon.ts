import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

import { BpfUnavailableError } from './errors.js';

/** OrErrno is a result of the addon: the value, or an errno as a negative number. */
export type OrErrno<T> = T | number;

/** An open file descriptor of cc/btf-fds.h, which its owner has to close. It is never 0. */
export type Fd = number;

/** Addon has the functions of cc/addon.cc, in their order. It trusts its arguments. */
export interface Addon {
  /** Returns an fd, which the caller owns. */
  tokenCreate(bpffsFd: number): number;
  /** `tokenFd` is -1 for none. */
  btfLoad(
    bytes: Uint8Array,
    logSize: number,
    tokenFd: number,
    callback: (outcome: Fd | FailedLoad) => void,
  ): void;
  btfLoadSync(bytes: Uint8Array, logSize: number, tokenFd: number): Fd | FailedLoad;
  btfGetFdById(id: number, tokenFd: number): OrErrno<Fd>;
  btfInfo(fd: Fd): OrErrno<{ id: number; name: string; kernelBtf: boolean; size: number }>;
  /** Until the callback, nothing else may use the bytes. The fd may be closed meanwhile. */
  btfRead(fd: Fd, bytes: Uint8Array, callback: (result: number) => void): void;
  btfSend(fd: Fd, socket: number, text: string): number;
  btfDup(fd: Fd): OrErrno<Fd>;
  btfClose(fd: Fd): void;
  /** Also counts the fd in the statistics. */
  btfCloseForgotten(fd: Fd): void;
  btfGetNextId(after: number): number;
  progGetNextId(after: number): number;
  progGetInfoById(id: number): NativeObjectInfo | FailedInfo;
  mapGetNextId(after: number): number;
  mapGetInfoById(id: number): NativeObjectInfo | FailedInfo;
  progLoad(programType: number, instructions: Uint8Array, license: string): number;
  capabilities(): bigint;
  notify(address: string, text: string): number;
  socketInfo(fd: number): OrErrno<NativeSocketInfo>;
  peerCredentials(fd: number): OrErrno<{ pid: number; uid: number; gid: number }>;
  peerGroups(fd: number): OrErrno<number[]>;
  unreceived(fd: number): number;
  readFile(fd: number, bytes: Uint8Array): number;
  trimMemory(): void;
  requestFd(
    path: string,
    request: string,
    maxSize: number,
    timeoutMs: number,
    callback: (fd: OrErrno<Fd> | null, text: string) => void,
  ): void;
  fdStats(): { open: number; closedByFinalizer: number };
}

export interface FailedLoad {
  readonly errno: number;
  /** Null if no logged load ran. */
  readonly log: Uint8Array | null;
  /** 0 if unknown. */
  readonly logTrueSize: number;
}

export interface NativeObjectInfo {
  readonly id: number;
  readonly name: string;
  readonly btfId: number;
  readonly btfKeyTypeId: number;
  readonly btfValueTypeId: number;
}

export interface NativeSocketInfo {
  readonly family: number;
  readonly isListening: boolean;
  readonly host: string;
  readonly port: number;
}

export interface FailedInfo {
  /** Whether the object was opened. If so, the kernel refused its info. */
  readonly opened: boolean;
  /** The errno as a negative number. */
  readonly result: number;
}

const require = createRequire(import.meta.url);
let loaded: Addon | null = null;

/**
 * addon returns the native addon. It loads the addon on first use, so that this package can be imported on systems
 * where the addon cannot be built.
 *
 * @throws BpfUnavailableError if the addon cannot be loaded.
 */
export function addon(): Addon {
  loaded ??= load();
  return loaded;
}

function load(): Addon {
  if (process.platform !== 'linux') {
    throw new BpfUnavailableError(`bpf(2) is a system call of Linux, but this is ${process.platform}`, null);
  }
  try {
    const nodeGypBuild: (root: string) => Addon = require('node-gyp-build');
    return nodeGypBuild(fileURLToPath(new URL('..', import.meta.url)));
  } catch (error) {
    throw new BpfUnavailableError(
      'the addon of @btfd/native is not built or cannot be loaded: run `npm rebuild @btfd/native` ' +
        '(with --global for a global installation, and with install scripts allowed)',
      error,
    );
  }
}
