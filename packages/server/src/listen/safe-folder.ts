import { realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { isSticky, whoElseWrites, type Ownership } from '../base/trusted-path.js';

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
export function whyUnsafe(stats: Ownership, own: number): string | null {
  if (own !== ROOT && stats.uid !== ROOT && stats.uid !== own) {
    return `belongs to another user (uid ${stats.uid})`;
  }
  const writers = isSticky(stats) ? null : whoElseWrites(stats);
  if (writers === null) return null;
  return `is writable by ${writers}, who could replace the daemon’s socket: set its mode to 0750, or its sticky bit`;
}
