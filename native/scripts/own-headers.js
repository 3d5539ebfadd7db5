import { existsSync, readFileSync, realpathSync } from 'node:fs';
import path from 'node:path';

/**
 * ownHeaders tells node-gyp, by its environment, of Node's headers where they lie beside the executable, so that it
 * need not download them.
 *
 * @returns {NodeJS.ProcessEnv}
 */
export function ownHeaders() {
  const prefix = path.dirname(path.dirname(realpathSync(process.execPath)));
  const header = path.join(prefix, 'include/node/node_version.h');
  if (!existsSync(header)) return {};
  const text = readFileSync(header, 'utf8');
  const version = ['MAJOR', 'MINOR', 'PATCH'].map(
    (part) => new RegExp(`^#define NODE_${part}_VERSION (\\d+)`, 'm').exec(text)?.[1],
  );
  return version.join('.') === process.versions.node ? { npm_config_nodedir: prefix } : {};
}
