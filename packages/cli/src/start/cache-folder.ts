import { existsSync, lstatSync, mkdirSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cacheHome } from '../config/xdg-folders.js';

/** Bits of a mode. */
const OTHERS_ACCESS = 0o077;
const OTHERS_WRITE = 0o022;
const STICKY = 0o1000;

/**
 * codeCacheFolder returns the folder for compiled code: `btfctl/compile-cache` in the user's cache folder, which is created
 * with mode 0700. The path has no symbolic links.
 *
 * btfctl runs the code that it finds there. So the result is null if another user could put code there: the folder must be
 * the user's and closed to others, and the folders above it must be the user's or root's. It is also null if the folder
 * cannot be created.
 *
 * @param uid the effective user id; undefined on systems without one, which then have no cache.
 */
export function codeCacheFolder(env: NodeJS.ProcessEnv, uid: number | undefined): string | null {
  if (uid === undefined) return null;
  try {
    const caches = cacheHome(env);
    if (!existsSync(caches)) {
      if (!isSafe(realpathSync.native(dirname(caches)), uid)) return null;
      makeFolder(caches);
    }
    let folder = realpathSync.native(caches);
    if (!isSafe(folder, uid)) return null;
    for (const name of ['btfctl', 'compile-cache']) {
      folder = join(folder, name);
      makeFolder(folder);
      if (!isOwn(folder, uid)) return null;
    }
    return folder;
  } catch {
    // A missing home or a full disk must not end a command that works without a cache.
    return null;
  }
}

/** Not recursive: only the folders of the cache are created, never a missing home. */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (!existsSync(path)) throw error;
  }
}

/** Whether a folder is the user's, closed to others, and not a symbolic link. Node's folders in it follow the umask. */
function isOwn(path: string, uid: number): boolean {
  const stat = lstatSync(path);
  return stat.isDirectory() && stat.uid === uid && (stat.mode & OTHERS_ACCESS) === 0;
}

/** Whether only the user and root can replace a folder: renaming a folder takes write access to the one above. */
function isSafe(path: string, uid: number): boolean {
  for (let folder = path; ; folder = dirname(folder)) {
    const { mode, uid: owner } = lstatSync(folder);
    if (owner !== uid && owner !== 0) return false;
    // In a sticky folder, such as /tmp, others can add files but not rename those of the user.
    if ((mode & OTHERS_WRITE) !== 0 && (mode & STICKY) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}
