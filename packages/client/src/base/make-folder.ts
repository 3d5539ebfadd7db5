import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * makeFolder makes a folder, and those above it, where they are not there.
 *
 * Not by `mkdir` with `recursive`, which tries for ever where the kernel refuses a folder with ENOENT, as in /proc.
 *
 * @param path an absolute one.
 * @throws Error of the system.
 */
export async function makeFolder(path: string, mode: number): Promise<void> {
  if (await isFolder(path)) return;
  const above = dirname(path);
  if (above !== path) await makeFolder(above, mode);
  try {
    await mkdir(path, { mode });
  } catch (error) {
    // It may have come meanwhile.
    if (!(await isFolder(path))) throw error;
  }
}

async function isFolder(path: string): Promise<boolean> {
  const stats = await stat(path).catch(() => null);
  return stats?.isDirectory() === true;
}
