// Packs every public package into a folder, as it is published:
//
//     node scripts/pack.js DIR        # the addon for this machine's architecture, and for others where there is a compiler
//     node scripts/pack.js DIR --all  # fails where a compiler for one is missing
//
// The packages must be built.
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { publicPackages } from './public-packages.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const [dir, ...options] = process.argv.slice(2);
if (dir === undefined) throw new Error('usage: node scripts/pack.js DIR [--all]');

const destination = resolve(dir);
mkdirSync(destination, { recursive: true });
execFileSync(process.execPath, ['native/scripts/prebuild.js', ...options], { cwd: ROOT, stdio: 'inherit' });
for (const { folder } of publicPackages()) {
  execFileSync('npx', ['--yes', 'pnpm@12', 'pack', '--pack-destination', destination], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}
