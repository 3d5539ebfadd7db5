/**
 * Builds the addon with node-gyp if it is older than its sources.
 *
 *   node scripts/build-addon.js                   # after a change
 *   node scripts/build-addon.js --unless-loadable # at install: only if no addon can be loaded
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ownHeaders } from './own-headers.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const require = createRequire(import.meta.url);

if (process.platform === 'linux' && !isDone()) build();

/** @returns {boolean} whether there is nothing to build */
function isDone() {
  if (!process.argv.includes('--unless-loadable')) return isNewerThanSources();
  try {
    require('node-gyp-build')(root);
    return true;
  } catch {
    return false;
  }
}

function isNewerThanSources() {
  const addon = path.join(root, 'build/Release/btfd_native.node');
  if (!existsSync(addon)) return false;
  const sources = readdirSync(path.join(root, 'cc')).map((name) => path.join(root, 'cc', name));
  const inputs = [path.join(root, 'binding.gyp'), require.resolve('node-addon-api/package.json'), ...sources];
  return inputs.every((file) => statSync(file).mtimeMs <= statSync(addon).mtimeMs);
}

function build() {
  const [command, ...first] = nodeGyp();
  const env = { ...process.env, ...ownHeaders() };
  const args = [...first, 'configure', 'build'];
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit', env });
  if (status === 0) return;
  if (error !== undefined)
    console.error(`cannot run node-gyp: ${error.message}: install it, or use npm or pnpm`);
  console.error(`
@btfd/native has no prebuilt addon for this system (${process.platform} ${process.arch}, Node ${process.version}), and building
it failed. The output above says why. The build needs a C++17 compiler, make and Python 3:

  Debian, Ubuntu:  apt-get install g++ make python3
  Fedora, RHEL:    dnf install gcc-c++ make python3
  Alpine:          apk add g++ make python3 linux-headers

Without the addon (npm install --ignore-scripts), btfd serves only the BTF that the kernel shows as files, and only
over TCP. @btfd/client, @btfd/btf and btfctl do not need the addon.
`);
  process.exitCode = 1;
}

/**
 * The package does not depend on node-gyp, because prebuilt addons do not need its 40 packages. npm and pnpm name theirs
 * in a variable. The checkout has its own, and other package managers have one in PATH.
 *
 * @returns {[string, ...string[]]} the command that runs node-gyp
 */
function nodeGyp() {
  try {
    return [process.execPath, require.resolve('node-gyp/bin/node-gyp.js')];
  } catch {
    const given = process.env['npm_config_node_gyp'];
    return given === undefined ? ['node-gyp'] : [process.execPath, given];
  }
}
