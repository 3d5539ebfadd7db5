import { existsSync, readFileSync, realpathSync } from 'node:fs';
import path from 'node:path';

/**
 * ownHeaders returns environment variables with which node-gyp uses the headers that are installed with Node, instead
 * of downloading them. They are empty if there are no headers of Node's own version.
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
