import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));

/** PackedProject is a project into which npm has installed the packed packages, as users have them. */
export interface PackedProject {
  readonly folder: string;
  readonly btfctl: string;
  readonly btfd: string;
}

/** packProject packs the packages of this checkout, and installs them into a new folder. */
export function packProject(folder: string): PackedProject {
  const tarballs = join(folder, 'tarballs');
  mkdirSync(folder);
  execFileSync(process.execPath, ['scripts/pack.js', tarballs], {
    cwd: ROOT,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  writeFileSync(join(folder, 'package.json'), '{"private": true}');
  const paths = readdirSync(tarballs).map((file) => join(tarballs, file));
  const args = [
    'install',
    '--no-audit',
    '--no-fund',
    '--prefer-offline',
    '--fetch-timeout',
    '15000',
    ...paths,
  ];
  const { status, stderr } = spawnSync('npm', args, { cwd: folder, encoding: 'utf8' });
  if (status !== 0) throw new Error(`npm install failed with exit status ${String(status)}: ${stderr}`);
  const scope = join(folder, 'node_modules/@btfd');
  return { folder, btfctl: join(scope, 'cli/bin/btfctl.js'), btfd: join(scope, 'server/bin/btfd.js') };
}
