import { userInfo } from 'node:os';
import { isAbsolute, join } from 'node:path';

/** configHome returns the folder for config files of the user: `XDG_CONFIG_HOME`, by default `~/.config`. */
export function configHome(env: NodeJS.ProcessEnv): string {
  return userFolder(env, 'XDG_CONFIG_HOME', '.config');
}

/** cacheHome returns the folder for caches of the user: `XDG_CACHE_HOME`, by default `~/.cache`. */
export function cacheHome(env: NodeJS.ProcessEnv): string {
  return userFolder(env, 'XDG_CACHE_HOME', '.cache');
}

/** Follows the XDG Base Directory Specification, https://specifications.freedesktop.org/basedir-spec/latest/. */
function userFolder(env: NodeJS.ProcessEnv, variable: string, inHome: string): string {
  const folder = env[variable];
  // The specification says to ignore relative paths.
  if (folder !== undefined && isAbsolute(folder)) return folder;
  const home = env['HOME'];
  // An empty one would make the folder that of whoever owns the current folder.
  return join(home === undefined || home === '' ? userInfo().homedir : home, inHome);
}
