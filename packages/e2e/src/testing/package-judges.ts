import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** All packages are ES modules, which require() loads since Node 20.19. */
const ATTW = '--ignore-rules cjs-resolves-to-esm --no-color --no-emoji --format ascii';

/** publint runs the checker of manifests on a tarball. */
export function publint(tarball: string): SpawnSyncReturns<string> {
  return judge('publint', ['run', '--strict', tarball]);
}

/** attw runs the checker of declared types on a tarball. */
export function attw(tarball: string): SpawnSyncReturns<string> {
  return judge('attw', [...ATTW.split(' '), tarball]);
}

function judge(bin: string, args: readonly string[]): SpawnSyncReturns<string> {
  const program = fileURLToPath(new URL(`../../node_modules/.bin/${bin}`, import.meta.url));
  return spawnSync(program, args, { encoding: 'utf8' });
}
