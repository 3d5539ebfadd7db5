import { randomUUID } from 'node:crypto';
import { constants, open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { makeFolder } from '../base/make-folder.js';
import { sha256Hex } from './raw-btf.js';

/** For the user alone: BTF tells what a kernel is made of. */
const DIR_MODE = 0o700;
const FILE_MODE = 0o600;

const BTF_FILE = /^[0-9a-f]{64}\.btf$/;
const LAST_FILE = /^[0-9a-f]{64}\.last$/;
const TEMPORARY_FILE = /^[0-9a-f-]{36}\.btf-tmp$/;

/** Writing takes milliseconds: what is older was left by a process that ended amid it. */
const TEMPORARY_MS = 3_600_000;
/** Several times the BTF of the largest kernel: what is larger was not written here, and would cost memory to be read. */
const MAX_BTF_BYTES = 64 * 1024 * 1024;
/** Two digests in hexadecimal take 130. */
const MAX_LAST_BYTES = 1024;
/** What a file takes of a disk at least. */
const BLOCK_BYTES = 4096;
/** After a cleaning an eighth is free, so that not every write begins another. */
const KEPT_SHARE = 7 / 8;
/** The folder is looked at again once a quarter of what was free is written: four processes fill it together. */
const UNSEEN_SHARE = 1 / 4;

/** LastSeen is what an object of the kernel was when it was last seen, in hexadecimal. */
export interface LastSeen {
  readonly digest: string;
  /** Empty where it has no base. */
  readonly baseDigest: string;
}

/**
 * SpecCacheDir keeps BTF in a folder, each in a file named by its SHA-256, for any number of processes. Files appear
 * whole, and are believed only if they are what their name says. Nothing here fails: what cannot be read is not
 * there, and what cannot be written is not kept.
 */
export class SpecCacheDir {
  readonly #dir: string;
  readonly #maxBytes: number;
  readonly #maxFileBytes: number;
  readonly #writes = new Set<Promise<void>>();
  /** Bytes that may be written before the folder is looked at. */
  #unseen = 0;

  constructor(dir: string, maxBytes: number) {
    // What the program changes its working directory to later is another matter.
    this.#dir = resolve(dir);
    this.#maxBytes = maxBytes;
    this.#maxFileBytes = Math.min(maxBytes, MAX_BTF_BYTES);
  }

  /** The BTF with a digest, or null. A file that is something else is removed. */
  async read(digest: string): Promise<Uint8Array | null> {
    const name = `${digest}.btf`;
    const bytes = BTF_FILE.test(name) ? await this.#readFile(name, this.#maxFileBytes) : null;
    if (bytes === null || (await sha256Hex(bytes)) === digest) return bytes;
    await this.#remove(name);
    return null;
  }

  /** What an object of the kernel was when any process last saw it, or null: a guess. */
  async lastSeen(name: string): Promise<LastSeen | null> {
    const bytes = await this.#readFile(await lastFile(name), MAX_LAST_BYTES);
    const [digest = '', baseDigest = ''] = new TextDecoder().decode(bytes ?? new Uint8Array()).split('\n');
    return digest === '' ? null : { digest, baseDigest };
  }

  /** Keeps BTF, some time later. */
  write(digest: string, bytes: Uint8Array): void {
    const name = `${digest}.btf`;
    if (BTF_FILE.test(name)) this.#later(async () => this.#writeFile(name, bytes));
  }

  /** Remembers what an object of the kernel is, some time later. */
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
      // No links, and no waiting for whoever writes into a pipe. Windows has neither flag.
      const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
      await using file = await open(join(this.#dir, name), flags);
      const stats = await file.stat();
      if (!stats.isFile() || stats.size > maxBytes) return null;
      const bytes = new Uint8Array(await file.readFile());
      const now = new Date();
      // The time of change serves as that of use, since many systems do not keep the latter.
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

  /** Removes what was not used longest, until there is room, and what was left unfinished. */
  async #clean(): Promise<void> {
    // Set before waiting: writes that end meanwhile need no cleaning of their own.
    this.#unseen = this.#maxBytes;
    const now = Date.now();
    const kept: { readonly name: string; readonly size: number; readonly usedAt: number }[] = [];
    for (const name of await readdir(this.#dir)) {
      const isTemporary = TEMPORARY_FILE.test(name);
      // Whatever else lies in the folder is not ours.
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

/** A name may be anything, so it does not become part of a path. */
async function lastFile(name: string): Promise<string> {
  return `${await sha256Hex(new TextEncoder().encode(name))}.last`;
}
