import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * makeFolder makes a folder, and those above it, where they are not there. Answers the first that it made, or null.
 *
 * Not by `mkdirSync` with `recursive`, which tries for ever where the kernel refuses a folder with ENOENT, as in /proc.
 *
 * @throws Error of the system.
 */
export function makeFolder(path: string, mode: number): string | null {
  const folder = resolve(path);
  const above = dirname(folder);
  const first = above === folder || existsSync(above) ? null : makeFolder(above, mode);
  try {
    mkdirSync(folder, { mode });
    return first ?? folder;
  } catch (error) {
    // It may be there, or have come meanwhile.
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return first;
    throw error;
  }
}
