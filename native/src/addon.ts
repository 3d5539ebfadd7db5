import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

import { BpfUnavailableError } from './errors.js';

/** What the addon's functions give: the value, or an errno as a negative number. */
export type OrErrno<T> = T | number;

/** The addon as cc/addon.cc and cc/btf-fd.cc define it, in their order. It trusts its arguments. */
export interface Addon {
  /** Calls back with the log's text (null where no logged load ran) and its true size (0 where unknown). */
  btfLoad(
    bytes: Uint8Array,
    logSize: number,
    callback: (fd: OrErrno<NativeBtfFd>, log: Uint8Array | null, logTrueSize: number) => void,
  ): void;
  btfGetFdById(id: number): OrErrno<NativeBtfFd>;
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
  fdStats(): { open: number; closedByFinalizer: number };
}

export interface NativeObjectInfo {
  readonly id: number;
  readonly name: string;
  readonly btfId: number;
}

export interface NativeSocketInfo {
  readonly family: number;
  readonly isListening: boolean;
  readonly host: string;
  readonly port: number;
}

export interface FailedInfo {
  /** Whether the object was opened, so that it was its info that the kernel refused. */
  readonly opened: boolean;
  /** The errno as a negative number. */
  readonly result: number;
}

export interface NativeBtfFd {
  readonly fd: number;
  info(): OrErrno<{ id: number; name: string; kernelBtf: boolean; size: number }>;
  read(callback: (bytes: OrErrno<Uint8Array>) => void): void;
  dup(): OrErrno<NativeBtfFd>;
  close(): boolean;
}

const require = createRequire(import.meta.url);
let loaded: Addon | null = null;

/**
 * addon loads the native addon on first use, so that this package can be imported where it can't be built.
 *
 * @throws BpfUnavailableError
 */
export function addon(): Addon {
  loaded ??= load();
  return loaded;
}

function load(): Addon {
  if (process.platform !== 'linux') {
    throw new BpfUnavailableError(`bpf(2) is a system call of Linux, this is ${process.platform}`, null);
  }
  try {
    const nodeGypBuild: (root: string) => Addon = require('node-gyp-build');
    return nodeGypBuild(fileURLToPath(new URL('..', import.meta.url)));
  } catch (error) {
    throw new BpfUnavailableError(
      'the addon of @btfd/native is not built, or does not load here; ' +
        '`npm rebuild @btfd/native`, with --global where it was installed so, builds it where npm may run install scripts',
      error,
    );
  }
}
