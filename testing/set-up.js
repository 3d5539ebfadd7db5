import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { debianPackages, isCommand } from './tools.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/**
 * extendPath adds the folder of scripts/fetch-tools.js to PATH, before all others, and the folders of Debian for tools
 * of root, which the PATH of an ordinary user lacks.
 */
export function extendPath() {
  process.env.PATH = `${join(ROOT, '.cache/tools')}:${process.env.PATH}:/usr/sbin:/sbin`;
}

/** JEST are the arguments with which Node runs jest. */
export const JEST = ['--experimental-vm-modules', '--no-warnings', 'node_modules/jest/bin/jest.js'];

/** canInstall reports whether this is root on Debian. */
export function canInstall() {
  const release = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  return process.geteuid() === 0 && /^ID=debian$/m.test(release) && isCommand('apt-get');
}

/** install installs the Debian packages of some tools, and prints which. */
export function install(tools) {
  const packages = debianPackages(tools);
  if (packages.length === 0) return;
  console.log(`Installing tools for the tests (--no-install disables this): ${packages.join(' ')}`);
  tryTo('apt-get', ['-qq', 'update']);
  tryTo('apt-get', ['-qq', 'install', '--no-install-recommends', ...packages]);
}

/** tryTo runs a command of the set-up. If it fails, tests are skipped, unless all tools are required. */
export function tryTo(command, args) {
  const { status } = spawnSync(command, args, {
    cwd: ROOT,
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    // The output of packages about their configuration fills pages.
    stdio: ['ignore', command === 'apt-get' ? 'ignore' : 'inherit', 'inherit'],
  });
  if (status === 0) return;
  console.error(`\`${[command, ...args].join(' ')}\` failed`);
  if (process.env.BTFD_REQUIRE_TOOLS === '1') process.exit(1);
}

/** run runs a command. If it fails, the whole run fails. */
export function run(command, args, env = {}) {
  const { status, error } = spawnSync(command, args, {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: 'inherit',
  });
  if (error !== undefined) throw error;
  if (status !== 0) process.exit(status ?? 1);
}
