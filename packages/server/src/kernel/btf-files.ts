import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ErrorReason } from '@btfd/api';
import { errorCode } from '../error/error-code.js';
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
   * it is gone, as a module's is when the module is unloaded.
   */
  read({ name, size }: BtfFile): Uint8Array {
    if (size > this.maxBytes) {
      const message = `${name} in ${this.dir} has ${size} bytes; at most ${this.maxBytes} are read`;
      throw new ServiceError(ErrorReason.BTF_UNDECODABLE, message);
    }
    try {
      return readFileSync(join(this.dir, name));
    } catch (error) {
      if (!isGone(error)) throw error;
      const message = `${JSON.stringify(name)} is gone from ${this.dir}`;
      throw new ServiceError(ErrorReason.NAME_NOT_FOUND, message, { metadata: { name }, cause: error });
    }
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
