import { closeSync, constants, fstatSync, openSync, readSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ErrorReason } from '@btfd/api';
import { errorCode } from '../error/error-code.js';
import { ERRNO_REASONS } from '../error/error-table.js';
import { ServiceError } from '../error/service-error.js';

/** BtfFile is a file in a folder of BTF. */
export interface BtfFile {
  /** The name of the file and of the object. */
  readonly name: string;
  /** Size in bytes. */
  readonly size: number;
}

/** BtfFiles is a folder of raw BTF files, one for each object: `/sys/kernel/btf`, or one like it. */
export class BtfFiles {
  readonly #maxBytes: number;

  constructor(
    readonly dir: string,
    maxBytes: number,
  ) {
    this.#maxBytes = maxBytes;
  }

  /** list returns the files, vmlinux first, then by name. It is empty if the folder does not exist. */
  list(): BtfFile[] {
    return this.#names()
      .flatMap((name) => this.#fileOf(name) ?? [])
      .toSorted((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1));
  }

  /** find returns the file of an object, or null. It looks the name up in the listing and never joins it to a path. */
  find(name: string): BtfFile | null {
    return this.list().find((file) => file.name === name) ?? null;
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
      return stat.isFile() ? { name, size: stat.size } : null;
    } catch {
      // It is gone, or it is a broken link.
      return null;
    }
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
