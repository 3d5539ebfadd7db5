import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { codeCacheFolder } from './cache-folder.js';
import { CodeCache, type Require } from './code-cache.js';

/** The commands, each of which has a file of compiled code. A test compares them with the program. */
export const COMMANDS: readonly string[] = [
  '__complete',
  'list',
  'dump',
  'header',
  'layout',
  'find',
  'member',
  'value',
  'diff',
  'load',
  'check',
  'compat',
  'hold',
  'watch',
  'info',
  'fleet',
  'context',
  'completion',
  'version',
  'help',
];

/** Exit codes of commands that did their work: success, `diff` with differences, `compat` with objects that do not fit, and a partial `fleet`. */
const DONE: ReadonlySet<unknown> = new Set([undefined, 0, 5, 8, 9]);

/**
 * loadMain loads the program from the chunks in a folder, with the compiled code of an earlier run if the user has a folder
 * for that. Returns its exports.
 *
 * @param dist the folder of the chunks.
 * @param require the function of Node, which loads its own modules and, without a cache, the chunks.
 */
export function loadMain(
  dist: string,
  require: Require,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): unknown {
  const chunk = readdirSync(dist).find((name) => /^main-\w+\.cjs$/.test(name)) ?? 'main.cjs';
  const main = join(dist, chunk);
  const file = cacheFile(args, env);
  if (file === null) return require(main);
  const cache = new CodeCache(file, dist, require);
  process.once('exit', () => {
    if (DONE.has(process.exitCode)) cache.save();
  });
  return cache.require(main);
}

/** Returns the file with the compiled code of a command, or null if there is to be none. */
function cacheFile(args: readonly string[], env: NodeJS.ProcessEnv): string | null {
  // Only Node's own loader reads source maps.
  if ((env['NODE_DISABLE_COMPILE_CACHE'] ?? '') !== '' || process.sourceMapsEnabled) return null;
  const folder = codeCacheFolder(env, process.geteuid?.());
  if (folder === null) return null;
  const command = args.find((word) => COMMANDS.includes(word)) ?? 'help';
  return join(folder, `${command}-${process.version}-${process.arch}`);
}
