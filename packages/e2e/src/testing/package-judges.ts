import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/**
 * All packages are ES modules, which require() loads since Node 20.19. The CommonJS modules for Jest return the same modules, so
 * the types of an ES module are right for them.
 */
const ATTW = '--ignore-rules cjs-resolves-to-esm false-esm --no-color --no-emoji --format ascii';
const RIGHT_TYPES = /types is interpreted as ESM when resolving with the "require" condition/;

/** publint runs the checker of manifests on a tarball. */
export function publint(tarball: string): SpawnSyncReturns<string> {
  const result = judge('publint', ['run', '--strict', tarball]);
  const problems = result.stdout.split('\n').filter((line) => /^\d+[.] /.test(line));
  return problems.length > 0 && problems.every((line) => RIGHT_TYPES.test(line))
    ? { ...result, status: 0 }
    : result;
}

/** attw runs the checker of declared types on a tarball. */
export function attw(tarball: string): SpawnSyncReturns<string> {
  return judge('attw', [...ATTW.split(' '), tarball]);
}

function judge(bin: string, args: readonly string[]): SpawnSyncReturns<string> {
  const program = fileURLToPath(new URL(`../../node_modules/.bin/${bin}`, import.meta.url));
  // The problems are read as lines of plain text.
  const env = { ...process.env, FORCE_COLOR: undefined, NO_COLOR: '1' };
  return spawnSync(program, args, { encoding: 'utf8', env });
}
