import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { npmNode } from './npm-node.js';

const NODES = fileURLToPath(new URL('../.cache/nodes', import.meta.url));

/**
 * Returns a version of Node from npm: its program, and the environment in which programs that start `node` by its name get
 * it, too. Without a version, that of this process.
 */
export function nodeVersion(version) {
  if (version === undefined) return { program: process.execPath, env: {} };
  const program = npmNode(NODES, version);
  return { program, env: { PATH: `${dirname(program)}:${process.env.PATH}` } };
}
