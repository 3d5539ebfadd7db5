// Packs every public package into a folder, as it is published:
//
//     node scripts/pack.js DIR        # the addon for this machine's architecture, and for others where there is a compiler
//     node scripts/pack.js DIR --all  # fails where a compiler for one is missing
//
// The packages must be built.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { publicPackages } from './public-packages.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const [dir, ...options] = process.argv.slice(2);
if (dir === undefined) throw new Error('usage: node scripts/pack.js DIR [--all]');

const destination = resolve(dir);
mkdirSync(destination, { recursive: true });
execFileSync(process.execPath, ['native/scripts/prebuild.js', ...options], { cwd: ROOT, stdio: 'inherit' });
for (const { folder } of publicPackages()) removeOutputOfGoneSources(folder);
const filters = publicPackages().flatMap(({ manifest }) => ['--filter', manifest.name]);
execFileSync(
  'npx',
  ['--yes', 'pnpm@12', '--recursive', ...filters, 'pack', '--pack-destination', destination],
  {
    cwd: ROOT,
    stdio: ['ignore', 'ignore', 'inherit'],
  },
);

/** What tsc made of a source that was removed or renamed since stays where it is; it is not to be published. */
function removeOutputOfGoneSources(folder) {
  const dist = join(folder, 'dist');
  for (const file of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
    const source = /^(.*)[.](?:js|d[.]ts)(?:[.]map)?$/.exec(file)?.[1];
    if (source === undefined || existsSync(join(folder, 'src', `${source}.ts`))) continue;
    rmSync(join(dist, file));
  }
}
