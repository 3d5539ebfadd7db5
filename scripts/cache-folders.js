// Writes folders of .cache so that each is either complete or absent.
import { mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const CACHE = fileURLToPath(new URL('../.cache', import.meta.url));

/** inWork calls a function with a new folder in .cache, and removes the folder. */
export function inWork(use) {
  mkdirSync(CACHE, { recursive: true });
  const work = mkdtempSync(join(CACHE, 'fetch-'));
  try {
    use(work);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** replaceFolder moves a folder to its target in one step. */
export function replaceFolder(folder, target) {
  rmSync(target, { recursive: true, force: true });
  mkdirSync(join(target, '..'), { recursive: true });
  renameSync(folder, target);
}
