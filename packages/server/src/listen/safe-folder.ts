import { realpathSync, statSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';

const WRITABLE_BY_GROUP = 0o020;
const WRITABLE_BY_OTHERS = 0o002;
/** As on /tmp: users can move and remove only their own files. */
const STICKY = 0o1000;
const ROOT = 0;

/**
 * refuseUnsafeFolder checks that no other user can replace a file in a folder: in the folder itself, or by moving a
 * folder above it. A user who replaces the socket could pose as the daemon. Root may do so anyway, and a daemon that runs
 * as root may listen in any user's folder.
 *
 * @throws Error if another user can. It names the folder and the user or group.
 */
export function refuseUnsafeFolder(dir: string): void {
  const own = process.geteuid?.() ?? ROOT;
  for (let folder = realpathSync(dir); ; folder = dirname(folder)) {
    const why = whyUnsafe(statSync(folder), own);
    if (why !== null) throw new Error(`the folder ${folder} ${why}`);
    if (folder === dirname(folder)) return;
  }
}

/** whyUnsafe returns who else may replace files in a user's folder, or null if nobody but root can. */
export function whyUnsafe(
  { uid, gid, mode }: Pick<Stats, 'uid' | 'gid' | 'mode'>,
  own: number,
): string | null {
  if (own !== ROOT && uid !== ROOT && uid !== own) return `belongs to another user (uid ${uid})`;
  if ((mode & STICKY) !== 0) return null;
  const remedy = 'who could replace the daemon’s socket: set its mode to 0750, or its sticky bit';
  if ((mode & WRITABLE_BY_OTHERS) !== 0) return `is writable by every user, ${remedy}`;
  if ((mode & WRITABLE_BY_GROUP) !== 0 && gid !== ROOT) {
    return `is writable by its group (gid ${gid}), ${remedy}`;
  }
  return null;
}
