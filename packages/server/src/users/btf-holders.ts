import { opendirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../error/error-code.js';
import type { ProcessUser } from './user-index.js';

/** The line in the fdinfo of a BTF object. An object that left the kernel's list has id 0, which does not match. */
const BTF_ID = /^btf_id:\s*([1-9]\d*)$/m;

/** The link in /proc of a file descriptor of a BTF object. */
const BTF_LINK = 'anon_inode:btf';

/**
 * btfHolders finds the processes that hold file descriptors of BTF objects. It calls back once for each BTF id of each
 * process. It skips processes that end meanwhile, and processes that the daemon may not inspect.
 *
 * Each `yield` ends a step of a few system calls.
 *
 * @param procDir where procfs is mounted.
 * @throws Error if procfs cannot be read.
 */
export function* btfHolders(
  procDir: string,
  found: (btfId: number, holder: ProcessUser) => void,
): Generator<void, void, void> {
  for (const name of namesIn(procDir)) {
    if (/^\d+$/.test(name)) yield* holdsOf(join(procDir, name), Number(name), found);
    yield;
  }
}

function* holdsOf(
  processDir: string,
  pid: number,
  found: (btfId: number, holder: ProcessUser) => void,
): Generator<void, void, void> {
  try {
    const ids = new Set<number>();
    for (const fd of namesIn(join(processDir, 'fd'))) {
      const id = btfIdOf(processDir, fd);
      if (id !== null) ids.add(id);
      yield;
    }
    if (ids.size === 0) return;
    const command = readFileSync(join(processDir, 'comm'), 'utf8').replace(/\n$/, '');
    for (const id of ids) found(id, { pid, command });
  } catch (error) {
    if (!isOutOfReach(error)) throw error;
  }
}

/** Returns the BTF id of a file descriptor, or null if it is of something else or was closed meanwhile. */
function btfIdOf(processDir: string, fd: string): number | null {
  try {
    if (readlinkSync(join(processDir, 'fd', fd)) !== BTF_LINK) return null;
    const match = BTF_ID.exec(readFileSync(join(processDir, 'fdinfo', fd), 'latin1'));
    return match === null ? null : Number(match[1]);
  } catch (error) {
    if (isOutOfReach(error)) return null;
    throw error;
  }
}

/** Returns the names in a folder, read in parts because a process can have a million file descriptors. */
function* namesIn(path: string): Generator<string, void, void> {
  const dir = opendirSync(path);
  try {
    for (let entry = dir.readSync(); entry !== null; entry = dir.readSync()) yield entry.name;
  } finally {
    dir.closeSync();
  }
}

/** Reports whether an error means that something is gone, or that the daemon may not inspect it. */
function isOutOfReach(error: unknown): boolean {
  return OUT_OF_REACH.has(errorCode(error));
}

const OUT_OF_REACH: ReadonlySet<unknown> = new Set(['ENOENT', 'ESRCH', 'EACCES', 'EPERM']);
