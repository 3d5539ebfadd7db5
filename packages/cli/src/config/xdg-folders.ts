import { userInfo } from 'node:os';
import { isAbsolute, join } from 'node:path';

/**
 * cacheHome returns the folder for caches of the user: `XDG_CACHE_HOME`, by default `~/.cache`. It follows the XDG Base
 * Directory Specification, https://specifications.freedesktop.org/basedir-spec/latest/.
 */
export function cacheHome(env: NodeJS.ProcessEnv): string {
  const folder = env['XDG_CACHE_HOME'];
  // The specification says to ignore relative paths.
  if (folder !== undefined && isAbsolute(folder)) return folder;
  const home = env['HOME'];
  // An empty one would make the folder that of whoever owns the current folder.
  return join(home === undefined || home === '' ? homeOfUser() : home, '.cache');
}

/** A container may run as a user without an entry in the list of users. Then nothing is kept. */
function homeOfUser(): string {
  try {
    return userInfo().homedir;
  } catch {
    return '/nonexistent';
  }
}
