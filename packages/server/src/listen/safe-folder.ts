import { realpathSync, statSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';

const WRITABLE_BY_GROUP = 0o020;
const WRITABLE_BY_OTHERS = 0o002;
/** As of /tmp: nobody moves or removes what is another's. */
const STICKY = 0o1000;
const ROOT = 0;

/**
 * refuseUnsafeFolder throws where somebody else could put another file in the place of one in a folder: in the folder
 * itself, or by moving one that it lies in. Who could do that to a socket could be the daemon to its clients. What
 * root's may is no matter, and root is to know in whose folder it listens.
 *
 * @throws Error that names the folder, and says who may change it.
 */
export function refuseUnsafeFolder(dir: string): void {
  const own = process.geteuid?.() ?? ROOT;
  for (let folder = realpathSync(dir); ; folder = dirname(folder)) {
    const why = whyUnsafe(statSync(folder), own);
    if (why !== null) throw new Error(`the folder ${folder} ${why}`);
    if (folder === dirname(folder)) return;
  }
}

/** whyUnsafe says who besides root and a user may change what lies in a folder, or null for nobody. */
export function whyUnsafe(
  { uid, gid, mode }: Pick<Stats, 'uid' | 'gid' | 'mode'>,
  own: number,
): string | null {
  if (own !== ROOT && uid !== ROOT && uid !== own) return `belongs to another user (uid ${uid})`;
  if ((mode & STICKY) !== 0) return null;
  const remedy =
    'so that others could put a socket in place of the daemon’s: make it 0750, or set its sticky bit';
  if ((mode & WRITABLE_BY_OTHERS) !== 0) return `is writable for everybody, ${remedy}`;
  if ((mode & WRITABLE_BY_GROUP) !== 0 && gid !== ROOT) {
    return `is writable for its group (gid ${gid}), ${remedy}`;
  }
  return null;
}
