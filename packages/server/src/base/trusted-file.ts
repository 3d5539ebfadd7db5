import { constants, type Stats } from 'node:fs';
import { open, stat, type FileHandle } from 'node:fs/promises';
import { FILE_TURNS } from './file-turns.js';
import { refuseUntrustedFile, resolveTrusted } from './trusted-path.js';

/** 1 MiB: the authorities of a whole system have 220 KiB, and thousands of principals fit. A wrong path could name any file. */
const MAX_FILE_BYTES = 1 << 20;

/** The device /dev/null, which stands for an empty file. */
const NULL_DEVICE = 0x103;

/** TrustedFileOptions say more about a file than its path. */
export interface TrustedFileOptions {
  /** Whether only its owner and group may read the file. Default: false. */
  readonly secret?: boolean;
  /** The user of the daemon. Default: that of the process. */
  readonly own?: number;
}

/**
 * readTrustedFile reads a file that the operator has named, such as a key. The caller never waits longer than 10 s, and
 * however many such files hang, they block one thread of the process.
 *
 * The file, the folders above it and the links to it must belong to root or to the daemon's user, and others must not be
 * able to write to them. A sticky folder, root's group and a read-only mount are exceptions.
 *
 * @throws Error if the path does not name a regular file of at most 1 MiB, or if the file cannot be read.
 * @throws Error if another user can change the file, or if everybody can read it although it is secret. It names a command
 * that changes that.
 * @throws Error if the read, or an earlier one, takes more than 10 s.
 */
export async function readTrustedFile(path: string, options: TrustedFileOptions = {}): Promise<Buffer> {
  return FILE_TURNS.run(`reading ${path}`, async () => readNow(path, options));
}

async function readNow(path: string, options: TrustedFileOptions): Promise<Buffer> {
  const { secret = false, own = process.geteuid?.() ?? 0 } = options;
  // Before it is opened, which other kinds of files may notice: a FIFO would release its writer.
  const named = await stat(path);
  if (named.isCharacterDevice() && named.rdev === NULL_DEVICE) return Buffer.alloc(0);
  refuseOtherKinds(path, named);
  const resolved = await resolveTrusted(path, own);
  const { O_RDONLY, O_NONBLOCK, O_NOCTTY, O_NOFOLLOW } = constants;
  // Node adds O_CLOEXEC.
  const file = await open(resolved, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
  try {
    const stats = await file.stat();
    refuseOtherKinds(path, stats);
    refuseUntrustedFile(resolved, stats, own, secret);
    return await readBounded(path, file, stats.size);
  } finally {
    await file.close();
  }
}

function refuseOtherKinds(path: string, stats: Stats): void {
  if (!stats.isFile()) throw new Error(`${path} is ${kindOf(stats)}, not a regular file`);
  refuseLarge(path, stats.size);
}

function refuseLarge(path: string, size: number): void {
  if (size > MAX_FILE_BYTES) throw new Error(`${path} has more than ${MAX_FILE_BYTES} bytes`);
}

function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return 'a folder';
  if (stats.isFIFO()) return 'a pipe';
  if (stats.isSocket()) return 'a socket';
  return 'a device';
}

/** The size that a file states may be wrong: it may grow, and files of /proc state 0. */
async function readBounded(path: string, file: FileHandle, size: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (let length = 0; ;) {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.max(size - length, 0) + 4096));
    if (bytesRead === 0) return Buffer.concat(chunks);
    length += bytesRead;
    refuseLarge(path, length);
    chunks.push(buffer.subarray(0, bytesRead));
  }
}
