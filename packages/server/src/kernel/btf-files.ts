import { constants, readSync, readdirSync, statSync, statfsSync, type Stats } from 'node:fs';
import { open, readdir, stat, statfs, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { ErrorReason } from '@btfd/api';
import { BpfUnavailableError, readFile } from '@btfd/native';
import { BTF_TURNS, type FileTurns } from '../base/file-turns.js';
import { errorCode, errorMessage } from '../error/error-code.js';
import { ERRNO_REASONS } from '../error/error-table.js';
import { ServiceError } from '../error/service-error.js';
import type { ObjectInfo } from './kernel.js';

/** BtfFile is a file in a folder of BTF. */
export interface BtfFile {
  /** The name of the file and of the object. */
  readonly name: string;
  /** Size in bytes. */
  readonly size: number;
  /** Differs from that of every other file that has had the name. */
  readonly identity: string;
}

/** `SYSFS_MAGIC` of the kernel's `magic.h`. */
const SYSFS_MAGIC = 0x6265_6572;

/** SYSFS_BTF is the kernel's own folder. */
export const SYSFS_BTF = '/sys/kernel/btf';

/** A name without a path: so it leads to nothing outside the folder. */
const FILE_NAME = /^(?!\.{1,2}$)[^/\0]+$/;

/** infoOfFile returns the info of an object that is only known as a file. */
export function infoOfFile({ name, size }: Pick<BtfFile, 'name' | 'size'>): ObjectInfo {
  return { id: 0, name, kernelBtf: true, size };
}

/** One turn lists this many files, so that a read does not wait for a whole large folder. */
const FILES_PER_TURN = 256;

/**
 * BtfFiles is a folder of raw BTF files, one for each object: `/sys/kernel/btf`, or one like it.
 *
 * Another folder may be on a file system that hangs. Methods that return a promise do not hold the event loop, one of them
 * uses the folder at a time, and they fail after 10 s. Methods that end with `Now` do hold it, and are for the kernel's own
 * folder only.
 */
export class BtfFiles {
  readonly #maxBytes: number;
  readonly #turns: FileTurns;
  /** The device of the folder if it is on sysfs, else null. Undefined before it is known. */
  #sysfsDevice: number | null | undefined;

  constructor(
    readonly dir: string,
    maxBytes: number,
    turns = BTF_TURNS,
  ) {
    this.#maxBytes = maxBytes;
    this.#turns = turns;
  }

  /**
   * list returns the files, vmlinux first, then by name. It is empty if the folder does not exist.
   *
   * @throws ServiceError BTF_UNDECODABLE if the file system hangs.
   */
  async list(): Promise<BtfFile[]> {
    const names = await this.#inTurn('', async () => namesIn(readdir(this.dir)));
    const files: BtfFile[] = [];
    for (let at = 0; at < names.length; at += FILES_PER_TURN) {
      const some = names.slice(at, at + FILES_PER_TURN);
      // One after the other, so that they block one thread at most.
      await this.#inTurn('', async () => {
        for (const name of some) {
          const file = await this.#lookAt(name);
          if (file !== null) files.push(file);
        }
      });
    }
    return files.toSorted((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1));
  }

  /**
   * find returns the file of an object, or null. It costs the same however many files there are.
   *
   * @throws ServiceError BTF_UNDECODABLE if the file system hangs.
   */
  async find(name: string): Promise<BtfFile | null> {
    return FILE_NAME.test(name) ? this.#inTurn(name, async () => this.#lookAt(name)) : null;
  }

  /**
   * read returns the content of a file, in shared memory if its size was as stated.
   *
   * @throws ServiceError BTF_UNDECODABLE if the file is larger than the limit or not a regular file, or its file system hangs.
   * @throws ServiceError NAME_NOT_FOUND if it is gone, as that of an unloaded module.
   * @throws ServiceError by its errno if it cannot be read.
   */
  async read({ name }: Pick<BtfFile, 'name'>): Promise<Uint8Array> {
    return this.#inTurn(name, async () => this.#readBounded(name));
  }

  /** namesNow returns the names in the folder, also of what is not a file. It is empty if the folder does not exist. */
  namesNow(): ReadonlySet<string> {
    try {
      return new Set(readdirSync(this.dir));
    } catch (error) {
      if (isGone(error)) return new Set();
      throw error;
    }
  }

  /** findNow returns the file of an object, or null. It costs the same however many files there are. */
  findNow(name: string): BtfFile | null {
    if (!FILE_NAME.test(name)) return null;
    try {
      const stats = statSync(join(this.dir, name));
      this.#sysfsDevice ??= sysfsDevice(statfsSync(this.dir), statSync(this.dir));
      return this.#fileOf(name, stats);
    } catch {
      // It is gone, it is a broken link, or no file can have the name.
      return null;
    }
  }

  /** @param name - of the file, or '' for the folder */
  async #inTurn<T>(name: string, work: () => Promise<T>): Promise<T> {
    try {
      return await this.#turns.run(`reading ${join(this.dir, name)}`, work);
    } catch (error) {
      if (error instanceof ServiceError) throw error;
      throw this.#toServiceError(name, error);
    }
  }

  async #lookAt(name: string): Promise<BtfFile | null> {
    try {
      const stats = await stat(join(this.dir, name));
      await this.#lookAtFolder();
      return this.#fileOf(name, stats);
    } catch {
      // It is gone, it is a broken link, or no file can have the name.
      return null;
    }
  }

  async #lookAtFolder(): Promise<void> {
    this.#sysfsDevice ??= sysfsDevice(await statfs(this.dir), await stat(this.dir));
  }

  /** The size of a file may be wrong, and a FIFO may have replaced the file. */
  async #readBounded(name: string): Promise<Uint8Array> {
    const { O_RDONLY, O_NONBLOCK, O_NOCTTY } = constants;
    const file = await open(join(this.dir, name), O_RDONLY | O_NONBLOCK | O_NOCTTY);
    try {
      const stats = await file.stat();
      if (!stats.isFile()) throw this.#unreadable(name, 'is not a regular file');
      await this.#lookAtFolder();
      const read = stats.dev === this.#sysfsDevice ? readNow : readPart;
      // One byte more than the stated size, to notice a file that is larger.
      let bytes = sharedBytes(Math.min(stats.size, this.#maxBytes) + 1);
      let length = 0;
      for (;;) {
        const got = await read(file, bytes, length);
        // Without a copy if its size is as stated.
        if (got === 0)
          return length + 1 === bytes.length ? bytes.subarray(0, length) : bytes.slice(0, length);
        length += got;
        if (length > this.#maxBytes) throw this.#unreadable(name, `has more than ${this.#maxBytes} bytes`);
        if (length === bytes.length) {
          const larger = sharedBytes(Math.min(2 * length, this.#maxBytes) + 1);
          larger.set(bytes);
          bytes = larger;
        }
      }
    } finally {
      await file.close();
    }
  }

  #toServiceError(name: string, error: unknown): ServiceError {
    const code = errorCode(error);
    // The turn itself failed, because the file system hangs.
    if (code === '') return this.#unreadable(name, `cannot be read: ${errorMessage(error)}`);
    if (isGone(error)) {
      const message = `${JSON.stringify(name)} is gone from ${this.dir}`;
      return new ServiceError(ErrorReason.NAME_NOT_FOUND, message, { metadata: { name }, cause: error });
    }
    const reason = ERRNO_REASONS[code] ?? ErrorReason.BTF_UNDECODABLE;
    return this.#unreadable(name, `cannot be read: ${code}`, reason);
  }

  #unreadable(name: string, why: string, reason = ErrorReason.BTF_UNDECODABLE): ServiceError {
    // Without a name it is the folder.
    if (name === '') return new ServiceError(reason, `${this.dir} ${why}`);
    return new ServiceError(reason, `${JSON.stringify(name)} in ${this.dir} ${why}`, { metadata: { name } });
  }

  /**
   * The kernel numbers the files of sysfs, and gives each module a new number, which has 64 bits since Linux 5.5. The times
   * of these files say nothing: the kernel forgets them when it is short of memory. Other file systems use numbers again.
   */
  #fileOf(name: string, stats: Stats): BtfFile | null {
    if (!stats.isFile()) return null;
    const { ino, size, dev, mtimeMs } = stats;
    return { name, size, identity: `${ino}:${size}:${dev === this.#sysfsDevice ? '' : mtimeMs}:${name}` };
  }
}

function sysfsDevice({ type }: { readonly type: number }, { dev }: Stats): number | null {
  return type === SYSFS_MAGIC ? dev : null;
}

async function namesIn(reading: Promise<string[]>): Promise<string[]> {
  return reading.catch((error: unknown) => {
    if (isGone(error)) return [];
    throw error;
  });
}

async function readPart(file: FileHandle, bytes: Uint8Array, at: number): Promise<number> {
  return (await file.read(bytes, at, bytes.length - at, null)).bytesRead;
}

/**
 * sysfs never hangs, but returns one page at a time: the many small reads of the asynchronous call take 60 ms for a vmlinux,
 * and blocking ones 2 ms. The addon takes 1 ms.
 */
function readNow(file: FileHandle, bytes: Uint8Array, at: number): number {
  try {
    if (at === 0) return readFile(file.fd, bytes);
  } catch (error) {
    if (!(error instanceof BpfUnavailableError)) throw error;
  }
  return readSync(file.fd, bytes, at, bytes.length - at, at);
}

/** Workers get BTF in shared memory without a copy. */
function sharedBytes(length: number): Uint8Array {
  return new Uint8Array(new SharedArrayBuffer(length));
}

/** ENODEV is the error of sysfs for a file that was removed while it was open. */
function isGone(error: unknown): boolean {
  const code = errorCode(error);
  return code === 'ENOENT' || code === 'ENODEV';
}

function rank(file: BtfFile): number {
  return file.name === 'vmlinux' ? 0 : 1;
}
