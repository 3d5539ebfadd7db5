import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * makeFolder creates a folder and its missing parents. It returns the topmost folder that it created, or null.
 *
 * It does not use `mkdirSync` with `recursive`, which never returns if the kernel refuses a folder with ENOENT, as in
 * /proc.
 *
 * @throws Error if the system refuses a folder.
 */
export function makeFolder(path: string, mode: number): string | null {
  const folder = resolve(path);
  const above = dirname(folder);
  const first = above === folder || existsSync(above) ? null : makeFolder(above, mode);
  try {
    mkdirSync(folder, { mode });
    return first ?? folder;
  } catch (error) {
    // It may exist, or another process may have created it.
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return first;
    throw error;
  }
}
