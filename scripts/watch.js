// Builds one package and runs its tests again after each change of a source:
//
//     pnpm watch packages/btf
//     pnpm watch packages/server/src/watch   # only the tests of a folder of the package
//
// Packages that it imports are built too. Ctrl-C ends it.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const [tests] = process.argv.slice(2);
if (tests === undefined) throw new Error('usage: pnpm watch FOLDER, for example packages/btf');

const compiler = run(
  'node_modules/.bin/tsc',
  '--build',
  packageOf(tests),
  '--watch',
  '--preserveWatchOutput',
);
const runner = run(
  process.execPath,
  '--experimental-vm-modules',
  '--no-warnings',
  'node_modules/jest/bin/jest.js',
  '--watchAll',
  tests,
);
compiler.on('exit', () => runner.kill());
runner.on('exit', () => compiler.kill());

/** Returns the folder of the package that a folder belongs to. The root of the repository is not a package. */
function packageOf(folder) {
  if (!existsSync(join(ROOT, folder)) || dirname(folder) === folder) {
    throw new Error(`no package has the folder ${tests}`);
  }
  return existsSync(join(ROOT, folder, 'tsconfig.json')) ? folder : packageOf(dirname(folder));
}

function run(command, ...args) {
  return spawn(command, args, { cwd: ROOT, stdio: 'inherit' });
}
