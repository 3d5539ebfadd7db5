// Runs the tests in virtual machines: `pnpm test:kernels [OPTION…] [SERIES…] [-- JEST ARGUMENT…]`.
//
//     SERIES        boots these kernels of scripts/kernel-packages.json, such as 6.1; default: all
//     --ci          boots the kernels that CI boots, both at once, and compares the C of fewer modules
//     --record      writes the results to packages/e2e/src/kernels/results.json, unless a check fails
//     --no-install  installs and fetches nothing
//
// As root on Debian it first installs the tools that are missing, and fetches the kernels. Each machine needs 1.5 GB of
// memory and one processor. The consoles of the machines are kept in .cache/machines/logs.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { JEST, canInstall, extendPath, install, run, tryTo } from './set-up.js';
import { TOOLS, has } from './tools.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const RESULTS = join(ROOT, 'packages/e2e/src/kernels/results.json');

/** CI has 10 minutes for two kernels, and at least as many processors. */
const MACHINES_OF_CI = 2;

const separator = process.argv.indexOf('--', 2);
const own = separator < 0 ? process.argv.slice(2) : process.argv.slice(2, separator);
const jestArgs = separator < 0 ? [] : process.argv.slice(separator + 1);
const isCi = own.includes('--ci');
const { kernels } = JSON.parse(readFileSync(join(ROOT, 'scripts/kernel-packages.json'), 'utf8'));
const wanted = own.filter((word) => !word.startsWith('--'));
const unknown = wanted.filter((word) => !kernels.some(({ series }) => series === word));
if (unknown.length > 0) {
  console.error(`no kernel ${unknown.join(', ')}: use ${kernels.map(({ series }) => series).join(', ')}`);
  process.exit(2);
}
if (isCi && own.includes('--record')) {
  console.error('--ci compares the C of fewer modules: leave it out to record results');
  process.exit(2);
}
const chosen = kernels
  .filter(({ series, ci }) => (wanted.length > 0 ? wanted.includes(series) : !isCi || ci === true))
  .map(({ series }) => series);

extendPath();
if (!own.includes('--no-install') && canInstall()) {
  install(Object.keys(TOOLS).filter((name) => !TOOLS[name].long && !TOOLS[name].image && !has(name)));
  tryTo(process.execPath, ['scripts/fetch-tools.js']);
  tryTo(process.execPath, ['scripts/fetch-kernel-btf.js', '--boot', ...chosen]);
  tryTo(process.execPath, ['scripts/fetch-bpf-objects.js']);
}
run('pnpm', ['--silent', 'build']);
run(process.execPath, ['scripts/kernel-image/make.js']);
const failure = await testAll();
if (failure !== 0) process.exit(failure);
if (own.includes('--record')) record();

/** Tests each kernel in a process of its own. Returns the status of the last that failed, or 0. */
async function testAll() {
  const queue = [...chosen];
  let worst = 0;
  const testNext = async () => {
    for (let series = queue.shift(); series !== undefined; series = queue.shift()) {
      worst = (await testKernel(series)) || worst;
    }
  };
  await Promise.all(Array.from({ length: isCi ? MACHINES_OF_CI : 1 }, testNext));
  return worst;
}

async function testKernel(series) {
  const args = [...JEST, '--config', 'jest.kernels.config.js', ...jestArgs];
  const env = { ...process.env, BTFD_KERNELS: series, ...(isCi ? { BTFD_KERNELS_BRIEF: '1' } : {}) };
  const [status] = await once(
    spawn(process.execPath, args, { cwd: ROOT, env, stdio: ['ignore', 'inherit', 'inherit'] }),
    'exit',
  );
  return status ?? 1;
}

/** Adds the last results of these kernels to those in the repository. */
function record() {
  const results = JSON.parse(readFileSync(RESULTS, 'utf8'));
  for (const series of chosen) {
    const path = join(ROOT, '.cache/machines', series, 'results.json');
    if (existsSync(path)) results[series] = JSON.parse(readFileSync(path, 'utf8'));
  }
  const sorted = Object.fromEntries(kernels.map(({ series }) => [series, results[series]]));
  writeFileSync(RESULTS, `${JSON.stringify(sorted, null, 2)}\n`);
  run('npx', ['prettier', '--write', RESULTS]);
  console.log('pnpm generate:docs writes them into docs/kernels.md and README.md');
}
