import { hostname } from 'node:os';

/** The longest name of a node in Kubernetes. The kernel's host names have at most 64 characters. */
const MAX_LENGTH = 253;

/** isNodeName reports whether a text can be the name of a node: up to 253 printable ASCII characters without spaces. */
export function isNodeName(text: string): boolean {
  return text.length <= MAX_LENGTH && /^[!-~]+$/.test(text);
}

/**
 * nodeNameOf returns the name of the node: the name that was set, otherwise NODE_NAME of the environment, otherwise the
 * host name. Returns '' if none of them can be a name. Other programs use NODE_NAME too, so a bad one is not an error.
 */
export function nodeNameOf(set: string | null, env: NodeJS.ProcessEnv, host = hostname()): string {
  return [set, env['NODE_NAME'], host].find((name) => typeof name === 'string' && isNodeName(name)) ?? '';
}
