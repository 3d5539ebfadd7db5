import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * makeFolder makes a folder, and its parents, if they do not exist.
 *
 * It does not use `mkdir` with `recursive`, which retries forever if the kernel refuses a folder with ENOENT, as in
 * /proc.
 *
 * @param path an absolute path.
 * @throws Error the system's error if a folder cannot be made.
 */
export async function makeFolder(path: string, mode: number): Promise<void> {
  if (await isFolder(path)) return;
  const above = dirname(path);
  if (above !== path) await makeFolder(above, mode);
  try {
    await mkdir(path, { mode });
  } catch (error) {
    // Another process may have made it in the meantime.
    if (!(await isFolder(path))) throw error;
  }
}

async function isFolder(path: string): Promise<boolean> {
  const stats = await stat(path).catch(() => null);
  return stats?.isDirectory() === true;
}
