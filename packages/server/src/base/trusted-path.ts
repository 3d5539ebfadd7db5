import type { Stats } from 'node:fs';
import { lstat, readFile, readlink } from 'node:fs/promises';
import { dirname } from 'node:path';

const ROOT = 0;
const WRITABLE_BY_GROUP = 0o020;
const WRITABLE_BY_OTHERS = 0o002;
const READABLE_BY_OTHERS = 0o004;
/** As on /tmp: users can move and remove only their own files. */
const STICKY = 0o1000;
/** As many as the kernel follows. */
const MAX_LINKS = 40;

/** Ownership is the part of Stats that says who may change something. */
export type Ownership = Pick<Stats, 'uid' | 'gid' | 'mode'>;

/**
 * resolveTrusted returns a path without links. On the way it checks that only root and the daemon's own user can change
 * what the path names, for each folder from the root on and for each link. It does not check the last component, unless
 * that is a folder.
 *
 * @param own the daemon's user.
 * @throws Error if another user can. It names the component, its owner or mode, and a command that changes that.
 * @throws Error of the system if a component does not exist, or if the daemon may not look at it.
 */
export async function resolveTrusted(path: string, own: number): Promise<string> {
  let folder = '/';
  await refuseFolder(folder, await lstat(folder), own);
  const left = namesIn(path.startsWith('/') ? path : `${process.cwd()}/${path}`);
  let links = 0;
  for (let name = left.pop(); name !== undefined; name = left.pop()) {
    const entry = name === '..' ? dirname(folder) : `${folder === '/' ? '' : folder}/${name}`;
    const stats = await lstat(entry);
    if (!stats.isSymbolicLink()) {
      if (stats.isDirectory()) await refuseFolder(entry, stats, own);
      folder = entry;
      continue;
    }
    refuse(whyOwned('link', entry, stats, own));
    links += 1;
    if (links > MAX_LINKS) throw new Error(`${path} leads over more than ${MAX_LINKS} links`);
    const target = await readlink(entry);
    left.push(...namesIn(target));
    if (target.startsWith('/')) folder = '/';
  }
  return folder;
}

/** Returns the names in a path, the first one last. */
function namesIn(path: string): string[] {
  const names = path.split('/').filter((name) => name !== '' && name !== '.');
  return names.toReversed();
}

async function refuseFolder(path: string, stats: Ownership, own: number): Promise<void> {
  refuse(whyOwned('folder', path, stats, own));
  if (isSticky(stats) || whoElseWrites(stats) === null) return;
  // Kubernetes mounts a ConfigMap as a folder with mode 0777, and read-only.
  if (await isReadOnlyMount(path)) return;
  refuse(whyWritable('folder', path, stats));
}

/** Reports whether something is mounted on a folder, and is read-only there. */
async function isReadOnlyMount(folder: string): Promise<boolean> {
  const mounts = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n').map((line) => line.split(' '));
  // A later mount covers an earlier one.
  const options = mounts.findLast(
    ([, , , , point]) => point !== undefined && unescaped(point) === folder,
  )?.[5];
  return options?.split(',').includes('ro') ?? false;
}

/** The kernel writes white space and backslashes as `\040`. */
function unescaped(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 8)));
}

/**
 * refuseUntrustedFile checks that only root and the daemon's user can change a file.
 *
 * @param secret whether also no other users may read it, except those of its group.
 * @throws Error if another user can, with a command that changes that.
 */
export function refuseUntrustedFile(path: string, stats: Ownership, own: number, secret: boolean): void {
  refuse(whyOwned('file', path, stats, own));
  refuse(whyWritable('file', path, stats));
  if (!secret || (stats.mode & READABLE_BY_OTHERS) === 0) return;
  refuse(`the file ${path} is readable by every user, with mode ${modeOf(stats)}: chmod o-r ${quoted(path)}`);
}

function refuse(why: string | null): void {
  if (why !== null) throw new Error(why);
}

function whyOwned(what: string, path: string, { uid }: Ownership, own: number): string | null {
  if (uid === ROOT || uid === own) return null;
  const command = what === 'link' ? 'chown --no-dereference' : 'chown';
  const trusted = own === ROOT ? 'not root' : `neither root nor the daemon’s user ${own}`;
  return `the ${what} ${path} belongs to uid ${uid}, ${trusted}: ${command} root ${quoted(path)}`;
}

function whyWritable(what: string, path: string, stats: Ownership): string | null {
  const writers = whoElseWrites(stats);
  if (writers === null) return null;
  const classes = `${isWritableByGroup(stats) ? 'g' : ''}${isWritableByOthers(stats) ? 'o' : ''}`;
  return `the ${what} ${path} is writable by ${writers}, with mode ${modeOf(stats)}: chmod ${classes}-w ${quoted(path)}`;
}

/** whoElseWrites returns who can write to something in addition to its owner and root's group, or null if nobody can. */
export function whoElseWrites(stats: Ownership): string | null {
  if (isWritableByOthers(stats)) return 'every user';
  return isWritableByGroup(stats) ? `its group (gid ${stats.gid})` : null;
}

/** isSticky reports whether users can move and remove only their own files in a folder, as in /tmp. */
export function isSticky({ mode }: Ownership): boolean {
  return (mode & STICKY) !== 0;
}

function isWritableByGroup({ gid, mode }: Ownership): boolean {
  return (mode & WRITABLE_BY_GROUP) !== 0 && gid !== ROOT;
}

function isWritableByOthers({ mode }: Ownership): boolean {
  return (mode & WRITABLE_BY_OTHERS) !== 0;
}

function modeOf({ mode }: Ownership): string {
  return (mode & 0o7777).toString(8).padStart(4, '0');
}

/** Returns a path as a word of a shell command. */
function quoted(path: string): string {
  return /^[\w./@:+-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
