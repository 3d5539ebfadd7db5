/**
 * Builds the addon with node-gyp when it is older than its sources.
 *
 *   node scripts/build-addon.js                   # after a change
 *   node scripts/build-addon.js --unless-loadable # at install: a prebuilt or present addon that loads is enough
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

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
  const args = [require.resolve('node-gyp/bin/node-gyp.js'), 'configure', 'build', ...ownHeaders()];
  process.exitCode = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' }).status ?? 1;
}

/** Node's headers where they lie beside the executable, so that node-gyp need not download them. */
function ownHeaders() {
  const prefix = path.dirname(path.dirname(realpathSync(process.execPath)));
  const header = path.join(prefix, 'include/node/node_version.h');
  if (!existsSync(header)) return [];
  const text = readFileSync(header, 'utf8');
  const version = ['MAJOR', 'MINOR', 'PATCH'].map(
    (part) => new RegExp(`^#define NODE_${part}_VERSION (\\d+)`, 'm').exec(text)?.[1],
  );
  return version.join('.') === process.versions.node ? [`--nodedir=${prefix}`] : [];
}
