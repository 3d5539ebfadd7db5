import { readFile } from 'node:fs/promises';
import type { BtfClientOptions } from '../call/client-options.js';
import type { BtfClient } from '../client.js';
import { type Config, ConfigError, type ContextNode } from './config.js';
import type { ConfigDocument } from './config-document.js';
import { configPath } from './config-path.js';

/** ContextOptions name the config file. */
export interface ContextOptions {
  /** The path of the config file, which must exist. Default: that of `btfctl`, see {@link configPath}. */
  readonly configFile?: string | undefined;
}

/** FromContextOptions are the options of a client of a context, which has the address and the certificates. */
export interface FromContextOptions extends ContextOptions, Omit<BtfClientOptions, 'tls' | 'credentials'> {}

/** Context is a daemon with a name. */
export interface Context extends ContextNode {
  readonly name: string;
  /** Whether `btfctl` uses it by default. */
  readonly isCurrent: boolean;
}

/**
 * fromContext returns a client of the daemon of a context. Its certificates are read again when they change.
 *
 * @param name the context. Default: `BTFD_CONTEXT` of the environment, otherwise the current one of the config file.
 * @throws ConfigError if the config file cannot be read or used, or has no such context.
 * @throws BtfError INVALID_REQUEST for an address or certificates that cannot be used.
 */
export async function fromContext(name?: string, options: FromContextOptions = {}): Promise<BtfClient> {
  const { configFile, ...others } = options;
  const config = await readConfigFile(configFile);
  const wanted = name ?? (process.env['BTFD_CONTEXT'] || null) ?? config.currentContext;
  if (wanted === null) throw new ConfigError('there is no current context: pass the name of one');
  const node = config.contexts.get(wanted);
  if (node === undefined) throw missing(wanted, config);
  const { BtfClient } = await import('../client.js');
  return new BtfClient(node.address, { ...others, ...(node.tls === null ? {} : { tls: node.tls }) });
}

/**
 * listContexts returns the contexts whose name matches a glob, in the order of the config file. `*` stands for any characters,
 * `?` for one. The list is empty if there is no config file, unless the options name it.
 *
 * @throws ConfigError if the config file cannot be read or used.
 */
export async function listContexts(glob = '*', { configFile }: ContextOptions = {}): Promise<Context[]> {
  const { currentContext, contexts } = await readConfigFile(configFile);
  const { compileGlob } = await import('@btfd/btf');
  const matches = compileGlob(glob);
  return [...contexts]
    .filter(([name]) => matches(name))
    .map(([name, { address, tls }]) => ({ name, address, tls, isCurrent: name === currentContext }));
}

/**
 * parseConfig parses the text of a config file, with its comments and places.
 *
 * @param path the path of the file. Relative paths in it start from its folder.
 * @throws ConfigError if it is not YAML, or its content is invalid.
 */
export async function parseConfig(text: string, path: string): Promise<ConfigDocument> {
  const { parsedConfig } = await import('./config-document.js');
  return parsedConfig(text, path);
}

/** If there is no file, no YAML is loaded. */
async function readConfigFile(named: string | undefined): Promise<Config> {
  const path = named ?? configPath();
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (!isMissing(error)) throw new ConfigError(`cannot read the config file: ${messageOf(error)}`);
    if (named !== undefined) throw new ConfigError(`there is no config file ${path}`);
    return { currentContext: null, contexts: new Map(), fleet: null };
  }
  return (await parseConfig(text, path)).config;
}

function missing(name: string, { contexts }: Config): ConfigError {
  const known = [...contexts.keys()];
  return new ConfigError(
    `there is no context ${JSON.stringify(name)}`,
    known.length === 0
      ? '`btfctl context set NAME --address ADDRESS` creates one'
      : `known contexts: ${known.join(', ')}`,
  );
}

/** ENOTDIR is the error for users whose home is not a folder, as for many services. */
function isMissing(error: unknown): boolean {
  const { code } = Object(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}

function messageOf(error: unknown): string {
  return String(error).replace(/^Error: /, '');
}
