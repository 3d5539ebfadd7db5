import { randomUUID } from 'node:crypto';
import { constants, open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { makeFolder } from '../base/make-folder.js';
import { sha256Hex } from './raw-btf.js';

/** Only the user may read the folder: BTF shows how a kernel was configured. */
const DIR_MODE = 0o700;
const FILE_MODE = 0o600;

const BTF_FILE = /^[0-9a-f]{64}\.btf$/;
const LAST_FILE = /^[0-9a-f]{64}\.last$/;
const TEMPORARY_FILE = /^[0-9a-f-]{36}\.btf-tmp$/;

/** Writing takes milliseconds. An older file was left by a process that ended while writing. */
const TEMPORARY_MS = 3_600_000;
/** Several times the BTF of the largest kernel. A larger file is not ours, and reading it would cost memory. */
const MAX_BTF_BYTES = 64 * 1024 * 1024;
/** Two digests in hexadecimal take 130 bytes. */
const MAX_LAST_BYTES = 1024;
/** The least space that a file takes on a disk. */
const BLOCK_BYTES = 4096;
/** A cleaning leaves an eighth free, so that not every write starts another one. */
const KEPT_SHARE = 7 / 8;
/** The folder is checked again after a quarter of the free space was written, so that four processes can share it. */
const UNSEEN_SHARE = 1 / 4;

/** LastSeen are the digests of an object of the kernel when it was last seen, in hexadecimal. */
export interface LastSeen {
  readonly digest: string;
  /** Empty if it has no base. */
  readonly baseDigest: string;
}

/**
 * SpecCacheDir keeps BTF in a folder that any number of processes can share. Each file is named by its SHA-256, appears
 * as a whole, and is used only if its content has that digest: so nothing has to be locked or trusted. A second, small
 * file per object holds its digests when it was last seen, because a client that knows no digest would have begun a
 * transfer before it learns the digest.
 *
 * No method throws. A file that cannot be read counts as missing, and one that cannot be written is not kept.
 */
export class SpecCacheDir {
  readonly #dir: string;
  readonly #maxBytes: number;
  readonly #maxFileBytes: number;
  readonly #writes = new Set<Promise<void>>();
  /** The bytes that may be written before the folder is checked. */
  #unseen = 0;

  constructor(dir: string, maxBytes: number) {
    // Made absolute, because the program may change its working directory later.
    this.#dir = resolve(dir);
    this.#maxBytes = maxBytes;
    this.#maxFileBytes = Math.min(maxBytes, MAX_BTF_BYTES);
  }

  /** Returns the BTF with a digest, or null. It removes a file whose content has another digest. */
  async read(digest: string): Promise<Uint8Array | null> {
    const name = `${digest}.btf`;
    const bytes = BTF_FILE.test(name) ? await this.#readFile(name, this.#maxFileBytes) : null;
    if (bytes === null || (await sha256Hex(bytes)) === digest) return bytes;
    await this.#remove(name);
    return null;
  }

  /** Returns the digests of an object of the kernel when any process last saw it, or null. They may be outdated. */
  async lastSeen(name: string): Promise<LastSeen | null> {
    const bytes = await this.#readFile(await lastFile(name), MAX_LAST_BYTES);
    const [digest = '', baseDigest = ''] = new TextDecoder().decode(bytes ?? new Uint8Array()).split('\n');
    return digest === '' ? null : { digest, baseDigest };
  }

  /** Writes BTF in the background. */
  write(digest: string, bytes: Uint8Array): void {
    const name = `${digest}.btf`;
    if (BTF_FILE.test(name)) this.#later(async () => this.#writeFile(name, bytes));
  }

  /** Writes the digests of an object of the kernel in the background. */
  writeLastSeen(name: string, { digest, baseDigest }: LastSeen): void {
    const bytes = new TextEncoder().encode(`${digest}\n${baseDigest}\n`);
    this.#later(async () => this.#writeFile(await lastFile(name), bytes));
  }

  /** Resolves when nothing is being written. */
  async settled(): Promise<void> {
    await Promise.all(this.#writes);
  }

  #later(write: () => Promise<void>): void {
    const writing = write()
      .catch(() => {})
      .finally(() => this.#writes.delete(writing));
    this.#writes.add(writing);
  }

  async #readFile(name: string, maxBytes: number): Promise<Uint8Array<ArrayBuffer> | null> {
    try {
      // Do not follow links, and do not wait for a pipe's writer. Windows has neither flag.
      const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
      await using file = await open(join(this.#dir, name), flags);
      const stats = await file.stat();
      if (!stats.isFile() || stats.size > maxBytes) return null;
      const bytes = new Uint8Array(await file.readFile());
      const now = new Date();
      // The time of change serves as the time of use, which many systems do not record.
      await file.utimes(now, now).catch(() => {});
      return bytes;
    } catch {
      return null;
    }
  }

  async #writeFile(name: string, bytes: Uint8Array): Promise<void> {
    const size = sizeOnDisk(bytes.length);
    if (size > this.#maxFileBytes) return;
    await makeFolder(this.#dir, DIR_MODE);
    const temporary = `${randomUUID()}.btf-tmp`;
    try {
      await writeFile(join(this.#dir, temporary), bytes, { flag: 'wx', mode: FILE_MODE });
      await rename(join(this.#dir, temporary), join(this.#dir, name));
    } catch (error) {
      await this.#remove(temporary);
      throw error;
    }
    this.#unseen -= size;
    if (this.#unseen < 0) await this.#clean();
  }

  /** Removes the least recently used files until there is room, and files that were left unfinished. */
  async #clean(): Promise<void> {
    // Set before the first wait, so that writes in the meantime do not start a cleaning of their own.
    this.#unseen = this.#maxBytes;
    const now = Date.now();
    const kept: { readonly name: string; readonly size: number; readonly usedAt: number }[] = [];
    for (const name of await readdir(this.#dir)) {
      const isTemporary = TEMPORARY_FILE.test(name);
      // Other files in the folder are not ours.
      if (!isTemporary && !BTF_FILE.test(name) && !LAST_FILE.test(name)) continue;
      const stats = await stat(join(this.#dir, name)).catch(() => null);
      if (stats === null) continue;
      if (!isTemporary) kept.push({ name, size: sizeOnDisk(stats.size), usedAt: stats.mtimeMs });
      else if (now - stats.mtimeMs > TEMPORARY_MS) await this.#remove(name);
    }
    let total = kept.reduce((sum, { size }) => sum + size, 0);
    if (total > this.#maxBytes) {
      for (const { name, size } of kept.toSorted((a, b) => a.usedAt - b.usedAt)) {
        if (total <= this.#maxBytes * KEPT_SHARE) break;
        await this.#remove(name);
        total -= size;
      }
    }
    this.#unseen = (this.#maxBytes - total) * UNSEEN_SHARE;
  }

  async #remove(name: string): Promise<void> {
    await rm(join(this.#dir, name), { force: true }).catch(() => {});
  }
}

function sizeOnDisk(bytes: number): number {
  return Math.ceil(bytes / BLOCK_BYTES) * BLOCK_BYTES;
}

/** Returns the name of a file. An object's name is hashed, because it may be anything and must not become a path. */
async function lastFile(name: string): Promise<string> {
  return `${await sha256Hex(new TextEncoder().encode(name))}.last`;
}
