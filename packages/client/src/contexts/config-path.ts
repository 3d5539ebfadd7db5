import { userInfo } from 'node:os';
import { isAbsolute, join } from 'node:path';

/**
 * configPath returns the path of btfctl's config file: `BTFCTL_CONFIG`, or `btfd/config.yaml` in the user's config folder,
 * `XDG_CONFIG_HOME`, by default `~/.config`.
 */
export function configPath(env: NodeJS.ProcessEnv = process.env): string {
  const named = env['BTFCTL_CONFIG'];
  return named === undefined || named === '' ? join(configHome(env), 'btfd', 'config.yaml') : named;
}

function configHome({ XDG_CONFIG_HOME: folder, HOME: home }: NodeJS.ProcessEnv): string {
  // The XDG Base Directory Specification says to ignore relative paths.
  if (folder !== undefined && isAbsolute(folder)) return folder;
  // An empty home would make the folder that of whoever owns the current folder.
  return join(home === undefined || home === '' ? homeOfUser() : home, '.config');
}

/** A container may run as a user without an entry in the list of users. Then there is no config file. */
function homeOfUser(): string {
  try {
    return userInfo().homedir;
  } catch {
    return '/nonexistent';
  }
}
