import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { TlsFiles } from '../call/tls-options.js';

/** ContextTls are the TLS files of a context, with absolute paths. */
export type ContextTls = Pick<TlsFiles, 'caFile' | 'certFile' | 'keyFile' | 'serverName'>;

/** ContextNode is the daemon of a context. */
export interface ContextNode {
  readonly address: string;
  /** Null if the context has no TLS. */
  readonly tls: ContextTls | null;
}

/** FleetSource has the options of `btfctl fleet` that choose nodes. Paths are absolute. */
export interface FleetSource {
  /** A glob of names of contexts. */
  readonly contexts?: string | undefined;
  /** `NAME:PORT`, or `NAME` with `srv`. */
  readonly dns?: string | undefined;
  readonly srv?: boolean | undefined;
  /** The members, separated by commas. */
  readonly etcd?: string | undefined;
  readonly prefix?: string | undefined;
  readonly etcdCa?: string | undefined;
  readonly etcdCert?: string | undefined;
  readonly etcdKey?: string | undefined;
  readonly etcdUser?: string | undefined;
  readonly etcdPasswordFile?: string | undefined;
  /** `NAMESPACE/SERVICE` */
  readonly kubernetes?: string | undefined;
  readonly kubeContext?: string | undefined;
  readonly nodesFile?: string | undefined;
}

/** FleetConfig is the fleet that `btfctl fleet` asks by default. */
export interface FleetConfig {
  readonly source: FleetSource;
  /** Null if the nodes have no TLS. */
  readonly tls: ContextTls | null;
}

/** Config is the content of btfctl's config file. */
export interface Config {
  readonly currentContext: string | null;
  /** The daemons by the names of their contexts. */
  readonly contexts: ReadonlyMap<string, ContextNode>;
  /** Null if the file names no fleet. */
  readonly fleet: FleetConfig | null;
}

/** ConfigError is the error of a config file that is invalid, missing or cannot be read. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  /** The message without the hint. */
  readonly problem: string;
  /** Advice on the next step; null if there is none. */
  readonly hint: string | null;

  constructor(problem: string, hint: string | null = null) {
    super(hint === null ? problem : `${problem}; ${hint}`);
    this.problem = problem;
    this.hint = hint;
  }
}

const TLS_KEYS = { ca: 'caFile', cert: 'certFile', key: 'keyFile', 'server-name': 'serverName' } as const;

/**
 * readConfig checks the content of a config file, which YAML has parsed, and returns it.
 *
 * @param value the content.
 * @param path the path of the file. Relative paths in it start from its folder, and those with `~/` from the user's home.
 * @throws ConfigError with the place in the file.
 */
export function readConfig(value: unknown, path: string): Config {
  if (value === null || value === undefined)
    return { currentContext: null, contexts: new Map(), fleet: null };
  const file = mapping(value, path, '', ['current-context', 'contexts', 'fleet']);
  const contexts = new Map<string, ContextNode>();
  for (const [name, node] of Object.entries(mapping(file['contexts'] ?? {}, path, 'contexts', null))) {
    contexts.set(name, readNode(node, path, `contexts.${name}`));
  }
  const currentContext = optionalText(file['current-context'], path, 'current-context') ?? null;
  return { currentContext, contexts, fleet: readFleet(file['fleet'], path) };
}

function readFleet(value: unknown, path: string): FleetConfig | null {
  if (value === undefined) return null;
  const fleet = mapping(value, path, 'fleet', FLEET_KEYS);
  const text = (key: FleetKey): string | undefined => optionalText(fleet[key], path, `fleet.${key}`);
  const file = (key: FleetKey): string | undefined => {
    const named = text(key);
    return named === undefined ? undefined : pathIn(dirname(path), named);
  };
  const source = {
    contexts: text('contexts'),
    dns: text('dns'),
    srv: optionalSwitch(fleet['srv'], path, 'fleet.srv'),
    etcd: text('etcd'),
    prefix: text('prefix'),
    etcdCa: file('etcd-ca'),
    etcdCert: file('etcd-cert'),
    etcdKey: file('etcd-key'),
    etcdUser: text('etcd-user'),
    etcdPasswordFile: file('etcd-password-file'),
    kubernetes: text('kubernetes'),
    kubeContext: text('kube-context'),
    nodesFile: file('nodes-file'),
  };
  return { source, tls: readTls(fleet['tls'], path, 'fleet.tls') };
}

const FLEET_KEYS = [
  'contexts',
  'dns',
  'srv',
  'etcd',
  'prefix',
  'etcd-ca',
  'etcd-cert',
  'etcd-key',
  'etcd-user',
  'etcd-password-file',
  'kubernetes',
  'kube-context',
  'nodes-file',
  'tls',
] as const;
type FleetKey = (typeof FLEET_KEYS)[number];

function readNode(value: unknown, path: string, place: string): ContextNode {
  const node = mapping(value, path, place, ['address', 'tls']);
  const address = optionalText(node['address'], path, `${place}.address`);
  if (address === undefined) throw new ConfigError(`${path}: ${place} has no address`);
  return { address, tls: readTls(node['tls'], path, `${place}.tls`) };
}

function readTls(value: unknown, path: string, place: string): ContextTls | null {
  if (value === undefined) return null;
  const files = mapping(value, path, place, Object.keys(TLS_KEYS));
  const tls: { -readonly [K in keyof ContextTls]: ContextTls[K] } = {};
  for (const [word, field] of Object.entries(TLS_KEYS)) {
    const text = optionalText(files[word], path, `${place}.${word}`);
    if (text === undefined) continue;
    tls[field] = field === 'serverName' ? text : pathIn(dirname(path), text);
  }
  return tls;
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
  if (!isMapping(value)) throw new ConfigError(`${path}: ${place || 'the file'} must be a mapping`);
  const unknown = Object.keys(value).find((key) => known?.includes(key) === false);
  if (unknown !== undefined) {
    const where = place === '' ? unknown : `${place}.${unknown}`;
    throw new ConfigError(`${path}: unknown key ${where}`, `known keys: ${known?.join(', ')}`);
  }
  return value;
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function optionalSwitch(value: unknown, path: string, place: string): boolean | undefined {
  if (value === undefined || typeof value === 'boolean') return value;
  throw new ConfigError(`${path}: ${place} must be true or false`);
}

function optionalText(value: unknown, path: string, place: string): string | undefined {
  if (value === undefined || (typeof value === 'string' && value !== '')) return value;
  throw new ConfigError(`${path}: ${place} must be a non-empty string`);
}
