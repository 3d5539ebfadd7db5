// Runs the tests: `pnpm test [--no-install] [JEST ARGUMENT…]`. With --long it runs the tests of `pnpm test:long`.
//
// As root on Debian it first installs the tools in tools.js that the machine lacks, and fetches the BTF of Debian's
// kernels. With --no-install it does neither. On other machines it skips tests whose tool is missing, and names the
// tools in a summary at the end. With BTFD_REQUIRE_TOOLS=1 a missing tool is a failure instead.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { TOOLS, debianPackages, has, isCommand } from './tools.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const flags = process.argv.slice(2);
const isLong = flags.includes('--long');
const jestArgs = flags.filter((arg) => arg !== '--long' && arg !== '--no-install');

// Debian installs bpftool in a folder that is not in the PATH of an ordinary user.
process.env.PATH += ':/usr/sbin:/sbin';

if (!flags.includes('--no-install') && canInstall()) setUp();
run('pnpm', ['--silent', 'build']);
const jest = ['--experimental-vm-modules', '--no-warnings', 'node_modules/jest/bin/jest.js'];
run(process.execPath, [...jest, ...(isLong ? ['--config', 'jest.long.config.js'] : []), ...jestArgs]);

function canInstall() {
  const release = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  return process.geteuid() === 0 && /^ID=debian$/m.test(release) && isCommand('apt-get');
}

function setUp() {
  const missing = Object.keys(TOOLS).filter((name) => (isLong || TOOLS[name].long !== true) && !has(name));
  const packages = debianPackages(missing);
  if (packages.length > 0) {
    console.log(`Installing tools for the tests (--no-install disables this): ${packages.join(' ')}`);
    tryTo('apt-get', ['-qq', 'update']);
    tryTo('apt-get', ['-qq', 'install', '--no-install-recommends', ...packages]);
  }
  // The script prints what it fetches, and skips files that exist.
  tryTo(process.execPath, ['scripts/fetch-kernel-btf.js']);
  if (isLong) tryTo(process.execPath, ['scripts/fetch-kernel-btf.js', '--all']);
}

/** Runs a command of the set-up. If it fails, tests are skipped, unless all tools are required. */
function tryTo(command, args) {
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

/** Runs a command. If it fails, the whole run fails. */
function run(command, args) {
  const { status } = spawnSync(command, args, { cwd: ROOT, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
