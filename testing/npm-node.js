import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export function npmNode(folder, version, arch = process.arch) {
  const name = `node-linux-${arch}`;
  const dir = join(folder, `${name}-${version}`);
  const program = join(dir, 'node_modules', name, 'bin/node');
  if (existsSync(program)) return program;
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'package.json'), '{"private": true}');
  // --force: the package may be for another architecture.
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--force', `${name}@${version}`], {
    cwd: dir,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  return program;
}
