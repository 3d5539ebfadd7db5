// Builds the image and tests it: `pnpm test:image [--whole] [--no-install] [JEST ARGUMENT…]`, as root on Debian.
//
// It first installs the tools that are missing. The image has the packages of this checkout, packed here. With --whole, the
// stage of the Containerfile builds and packs HEAD, which takes minutes.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { JEST, canInstall, extendPath, install, run, tryTo } from './set-up.js';
import { TOOLS, has } from './tools.js';

const flags = process.argv.slice(2);
const isOwn = (arg) => arg === '--whole' || arg === '--no-install';

extendPath();
if (!flags.includes('--no-install') && canInstall()) {
  install(Object.keys(TOOLS).filter((name) => TOOLS[name].image === true && !has(name)));
  tryTo(process.execPath, ['scripts/fetch-tools.js']);
}
run('pnpm', ['--silent', 'build']);
if (flags.includes('--whole')) {
  run('bash', ['scripts/build-image.sh']);
} else {
  const dir = mkdtempSync(join(tmpdir(), 'btfd-image-'));
  process.on('exit', () => rmSync(dir, { recursive: true }));
  run(process.execPath, ['scripts/pack.js', join(dir, 'packages')]);
  run('bash', ['scripts/build-image.sh', dir]);
}
run(process.execPath, [...JEST, '--config', 'jest.image.config.js', ...flags.filter((arg) => !isOwn(arg))]);
