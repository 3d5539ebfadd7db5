import { closeSync, constants, fstatSync, openSync, readSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ErrorReason } from '@btfd/api';
import { errorCode } from '../error/error-code.js';
import { ERRNO_REASONS } from '../error/error-table.js';
import { ServiceError } from '../error/service-error.js';

/** BtfFile is a file in a folder of BTF. */
export interface BtfFile {
  /** The object's name, which is the file's. */
  readonly name: string;
  /** Size in bytes. */
  readonly size: number;
}

/** BtfFiles is a read-only folder of raw BTF files, one an object: `/sys/kernel/btf`, or one like it. */
export class BtfFiles {
  constructor(
    readonly dir: string,
    private readonly maxBytes: number,
  ) {}

  /** The files, vmlinux first, then by name. Empty where the folder doesn't exist. */
  list(): BtfFile[] {
    return this.names()
      .flatMap((name) => this.fileOf(name) ?? [])
      .toSorted((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1));
  }

  /** The file of an object, or null. The name is matched against the listing, never joined to a path. */
  find(name: string): BtfFile | null {
    return this.list().find((file) => file.name === name) ?? null;
  }

  /**
   * Reads a file whole. Blocks: sysfs hands out a page at a time, so that the many small reads of the
   * asynchronous call take 60 ms for a vmlinux where this takes 2 ms.
   *
   * @throws ServiceError with BTF_UNDECODABLE if the file is larger than the limit, with NAME_NOT_FOUND if
   * it is gone, as a module's is when the module is unloaded, and by its errno if it can't be read.
   */
  read({ name }: Pick<BtfFile, 'name'>): Uint8Array {
    try {
      return this.readBounded(name);
    } catch (error) {
      if (error instanceof ServiceError) throw error;
      throw this.toServiceError(name, error);
    }
  }

  /** What a file says of its size need not be true, and a FIFO may have taken its place. */
  private readBounded(name: string): Uint8Array {
    const fd = openSync(join(this.dir, name), constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stat = fstatSync(fd);
      if (!stat.isFile()) throw this.unreadable(name, 'is no file');
      // One byte more than it says tells whether that was all.
      let bytes = new Uint8Array(Math.min(stat.size, this.maxBytes) + 1);
      let length = 0;
      for (;;) {
        const got = readSync(fd, bytes, length, bytes.length - length, null);
        if (got === 0) return bytes.slice(0, length);
        length += got;
        if (length > this.maxBytes) throw this.unreadable(name, `has more than ${this.maxBytes} bytes`);
        if (length === bytes.length) {
          const larger = new Uint8Array(Math.min(2 * length, this.maxBytes) + 1);
          larger.set(bytes);
          bytes = larger;
        }
      }
    } finally {
      closeSync(fd);
    }
  }

  private toServiceError(name: string, error: unknown): ServiceError {
    const code = errorCode(error);
    if (isGone(error)) {
      const message = `${JSON.stringify(name)} is gone from ${this.dir}`;
      return new ServiceError(ErrorReason.NAME_NOT_FOUND, message, { metadata: { name }, cause: error });
    }
    const reason = ERRNO_REASONS[code] ?? ErrorReason.BTF_UNDECODABLE;
    return this.unreadable(name, `cannot be read${code === '' ? '' : `: ${code}`}`, reason);
  }

  private unreadable(name: string, why: string, reason = ErrorReason.BTF_UNDECODABLE): ServiceError {
    return new ServiceError(reason, `${JSON.stringify(name)} in ${this.dir} ${why}`, { metadata: { name } });
  }

  private fileOf(name: string): BtfFile | null {
    try {
      const stat = statSync(join(this.dir, name));
      return stat.isFile() ? { name, size: stat.size } : null;
    } catch {
      // Gone meanwhile, or a link that leads nowhere: no file to read.
      return null;
    }
  }

  private names(): string[] {
    try {
      return readdirSync(this.dir);
    } catch (error) {
      if (isGone(error)) return [];
      throw error;
    }
  }
}

/** ENODEV: what sysfs says of a file that went while it was open. */
function isGone(error: unknown): boolean {
  const code = errorCode(error);
  return code === 'ENOENT' || code === 'ENODEV';
}

function rank(file: BtfFile): number {
  return file.name === 'vmlinux' ? 0 : 1;
}
