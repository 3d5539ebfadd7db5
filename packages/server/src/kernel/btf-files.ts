import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readSync,
  readdirSync,
  statSync,
  statfsSync,
  type Stats,
} from 'node:fs';
import { join } from 'node:path';
import { ErrorReason } from '@btfd/api';
import { errorCode } from '../error/error-code.js';
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

/** A name without a path: so it leads to nothing outside the folder. */
const FILE_NAME = /^(?!\.{1,2}$)[^/\0]+$/;

/** infoOfFile returns the info of an object that is only known as a file. */
export function infoOfFile({ name, size }: Pick<BtfFile, 'name' | 'size'>): ObjectInfo {
  return { id: 0, name, kernelBtf: true, size };
}

/** BtfFiles is a folder of raw BTF files, one for each object: `/sys/kernel/btf`, or one like it. */
export class BtfFiles {
  readonly #maxBytes: number;
  #isSysfs: boolean | null = null;

  constructor(
    readonly dir: string,
    maxBytes: number,
  ) {
    this.#maxBytes = maxBytes;
  }

  /**
   * list returns the files, vmlinux first, then by name. It is empty if the folder does not exist. Others may run between its
   * steps: each looks at one file.
   */
  *list(): Generator<void, BtfFile[], void> {
    const files: BtfFile[] = [];
    for (const name of this.#names()) {
      const file = this.#fileOf(name);
      if (file !== null) files.push(file);
      yield;
    }
    return files.toSorted((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1));
  }

  /** names returns the names in the folder, also of what is not a file. It is empty if the folder does not exist. */
  names(): ReadonlySet<string> {
    return new Set(this.#names());
  }

  /** find returns the file of an object, or null. It costs the same however many files there are. */
  find(name: string): BtfFile | null {
    return FILE_NAME.test(name) ? this.#fileOf(name) : null;
  }

  /**
   * read returns the content of a file. It blocks, because sysfs returns one page at a time: the many small reads of the
   * asynchronous call take 60 ms for a vmlinux, and blocking ones 2 ms.
   *
   * @throws ServiceError BTF_UNDECODABLE if the file is larger than the limit, or not a regular file.
   * @throws ServiceError NAME_NOT_FOUND if it is gone, as that of an unloaded module.
   * @throws ServiceError by its errno if it cannot be read.
   */
  read({ name }: Pick<BtfFile, 'name'>): Uint8Array {
    try {
      return this.#readBounded(name);
    } catch (error) {
      if (error instanceof ServiceError) throw error;
      throw this.#toServiceError(name, error);
    }
  }

  /** The size of a file may be wrong, and a FIFO may have replaced the file. */
  #readBounded(name: string): Uint8Array {
    const fd = openSync(join(this.dir, name), constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stat = fstatSync(fd);
      if (!stat.isFile()) throw this.#unreadable(name, 'is not a regular file');
      // One byte more than the stated size, to notice a file that is larger.
      let bytes = new Uint8Array(Math.min(stat.size, this.#maxBytes) + 1);
      let length = 0;
      for (;;) {
        const got = readSync(fd, bytes, length, bytes.length - length, null);
        if (got === 0) return bytes.slice(0, length);
        length += got;
        if (length > this.#maxBytes) throw this.#unreadable(name, `has more than ${this.#maxBytes} bytes`);
        if (length === bytes.length) {
          const larger = new Uint8Array(Math.min(2 * length, this.#maxBytes) + 1);
          larger.set(bytes);
          bytes = larger;
        }
      }
    } finally {
      closeSync(fd);
    }
  }

  #toServiceError(name: string, error: unknown): ServiceError {
    const code = errorCode(error);
    if (isGone(error)) {
      const message = `${JSON.stringify(name)} is gone from ${this.dir}`;
      return new ServiceError(ErrorReason.NAME_NOT_FOUND, message, { metadata: { name }, cause: error });
    }
    const reason = ERRNO_REASONS[code] ?? ErrorReason.BTF_UNDECODABLE;
    return this.#unreadable(name, `cannot be read${code === '' ? '' : `: ${code}`}`, reason);
  }

  #unreadable(name: string, why: string, reason = ErrorReason.BTF_UNDECODABLE): ServiceError {
    return new ServiceError(reason, `${JSON.stringify(name)} in ${this.dir} ${why}`, { metadata: { name } });
  }

  #fileOf(name: string): BtfFile | null {
    try {
      const stat = statSync(join(this.dir, name));
      return stat.isFile() ? { name, size: stat.size, identity: this.#identityOf(name, stat) } : null;
    } catch {
      // It is gone, it is a broken link, or no file can have the name.
      return null;
    }
  }

  /**
   * The kernel numbers the files of sysfs, and gives each module a new number, which has 64 bits since Linux 5.5. The times
   * of these files say nothing: the kernel forgets them when it is short of memory. Other file systems use numbers again.
   */
  #identityOf(name: string, { ino, size, mtimeMs }: Stats): string {
    this.#isSysfs ??= statfsSync(this.dir).type === SYSFS_MAGIC;
    return `${ino}:${size}:${this.#isSysfs ? '' : mtimeMs}:${name}`;
  }

  #names(): string[] {
    try {
      return readdirSync(this.dir);
    } catch (error) {
      if (isGone(error)) return [];
      throw error;
    }
  }
}

/** ENODEV is the error of sysfs for a file that was removed while it was open. */
function isGone(error: unknown): boolean {
  const code = errorCode(error);
  return code === 'ENOENT' || code === 'ENODEV';
}

function rank(file: BtfFile): number {
  return file.name === 'vmlinux' ? 0 : 1;
}
