import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { usageError } from '../error/cli-error.js';

/** TlsFiles are the paths of PEM files for TLS, and the name that the daemon's certificate must have. */
export interface TlsFiles {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly serverName?: string | undefined;
}

/** Node is the daemon of a context. */
export interface Node {
  readonly address: string;
  readonly tls: TlsFiles | null;
}

/** Config is the content of the config file. */
export interface Config {
  readonly currentContext: string | null;
  readonly contexts: ReadonlyMap<string, Node>;
}

/** EMPTY_CONFIG is the config without a file. */
export const EMPTY_CONFIG: Config = { currentContext: null, contexts: new Map() };

const TLS_KEYS = { ca: 'ca', cert: 'cert', key: 'key', 'server-name': 'serverName' } as const;

/**
 * readConfig checks the content of a config file, and returns it.
 *
 * @param path the path of the file. Relative paths in it start from its folder, and those with `~/` from the user's home.
 * @throws CliError USAGE, with the place in the file.
 */
export function readConfig(value: unknown, path: string): Config {
  if (value === null || value === undefined) return EMPTY_CONFIG;
  const file = mapping(value, path, '', ['current-context', 'contexts']);
  const contexts = new Map<string, Node>();
  for (const [name, node] of Object.entries(mapping(file['contexts'] ?? {}, path, 'contexts', null))) {
    contexts.set(name, readNode(node, path, `contexts.${name}`));
  }
  const currentContext = optionalText(file['current-context'], path, 'current-context') ?? null;
  return { currentContext, contexts };
}

function readNode(value: unknown, path: string, place: string): Node {
  const node = mapping(value, path, place, ['address', 'tls']);
  const address = optionalText(node['address'], path, `${place}.address`);
  if (address === undefined) throw usageError(`${path}: ${place} has no address`);
  if (node['tls'] === undefined) return { address, tls: null };
  const files = mapping(node['tls'], path, `${place}.tls`, Object.keys(TLS_KEYS));
  const tls: { -readonly [K in keyof TlsFiles]: TlsFiles[K] } = {};
  for (const [word, field] of Object.entries(TLS_KEYS)) {
    const text = optionalText(files[word], path, `${place}.tls.${word}`);
    if (text === undefined) continue;
    tls[field] = field === 'serverName' ? text : pathIn(dirname(path), text);
  }
  return { address, tls };
}

/** Resolves a path as a shell does: `~/` is the home of the user. */
function pathIn(folder: string, path: string): string {
  return path.startsWith('~/') ? join(homedir(), path.slice(2)) : resolve(folder, path);
}

function mapping(
  value: unknown,
  path: string,
  place: string,
  known: readonly string[] | null,
): Readonly<Record<string, unknown>> {
  if (!isMapping(value)) throw usageError(`${path}: ${place || 'the file'} must be a mapping`);
  const unknown = Object.keys(value).find((key) => known?.includes(key) === false);
  if (unknown !== undefined) {
    const where = place === '' ? unknown : `${place}.${unknown}`;
    throw usageError(`${path}: unknown key ${where}`, `known keys: ${known?.join(', ')}`);
  }
  return value;
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function optionalText(value: unknown, path: string, place: string): string | undefined {
  if (value === undefined || (typeof value === 'string' && value !== '')) return value;
  throw usageError(`${path}: ${place} must be a non-empty string`);
}
