import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * npmNode installs Node from a package of npm into a folder, unless it is there, and returns the path of the program.
 *
 * @param version such as `24`
 * @param arch the architecture, which may be one that only an emulator runs. Default: that of this process.
 * @throws Error if npm fails.
 */
export function npmNode(folder: string, version: string, arch: string = process.arch): string {
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
