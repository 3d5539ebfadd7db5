import { notFound, usageError } from '../error/cli-error.js';
import type { Config, Node, TlsFiles } from './config.js';

/** TargetOptions are the options of the command line that choose a daemon. */
export interface TargetOptions {
  readonly address?: string | undefined;
  readonly context?: string | undefined;
  readonly tls: TlsFiles;
}

/** NamedNode is a daemon that an option, the environment or the config file names. */
export interface NamedNode extends Node {
  /** The context that names all of its TLS files; null if there is none. */
  readonly context: string | null;
}

/** Target is the daemon to use. */
export interface Target extends NamedNode {
  /** Whether nothing names it, so that it is the one of this user on this machine. */
  readonly isDefault: boolean;
}

/** isLocal reports whether an address is the socket of a daemon of this machine. */
export function isLocal(address: string): boolean {
  return address.startsWith('unix:');
}

/**
 * targetOf returns the daemon to use: the one of `--address`, `--context`, `BTFD_ADDRESS`, `BTFD_CONTEXT`, the current
 * context of the config file, or the one of this user on this machine, in this order. The `--tls-…` options override the
 * TLS files of a context, which are only used for its own address.
 *
 * @throws CliError NOT_FOUND if there is no such context; USAGE for an invalid address.
 */
export async function targetOf(
  options: TargetOptions,
  env: NodeJS.ProcessEnv,
  config: () => Promise<Config>,
): Promise<Target> {
  if (options.address !== undefined && options.context !== undefined) {
    throw usageError('--address and --context name two daemons: use only one of them');
  }
  const named = await namedNode(options, env, config);
  if (named !== null) return { ...withTls(named, options.tls), isDefault: false };
  // Apart from the client, which loads gRPC: a command may then need no daemon.
  const { defaultAddress } = await import('@btfd/client/default-address');
  return {
    ...withTls({ address: defaultAddress(), tls: null, context: null }, options.tls),
    isDefault: true,
  };
}

/** nodeNamed returns the daemon with a name, which is a context or an address. @throws CliError as {@link targetOf}. */
export function nodeNamed(name: string, config: Config, tls: TlsFiles): NamedNode {
  const node = name.includes(':') ? { address: name, tls: null, context: null } : contextOf(name, config);
  // One of several nodes may be this machine, whose socket has no TLS.
  return withTls(node, isLocal(node.address) ? {} : tls);
}

/** Returns the daemon that the options, the environment or the config file name; null if none does. */
async function namedNode(
  options: TargetOptions,
  env: NodeJS.ProcessEnv,
  config: () => Promise<Config>,
): Promise<NamedNode | null> {
  const { BTFD_ADDRESS: address, BTFD_CONTEXT: context } = env;
  if (options.address !== undefined) return { address: options.address, tls: null, context: null };
  if (options.context !== undefined) return contextOf(options.context, await config(), '--context');
  if (address !== undefined && address !== '') return { address, tls: null, context: null };
  if (context !== undefined && context !== '') return contextOf(context, await config(), 'BTFD_CONTEXT');
  const file = await config();
  return file.currentContext === null ? null : contextOf(file.currentContext, file, CURRENT);
}

/** The setting of the config file that names a context. */
const CURRENT = 'current-context of the config file';

/** @param namedBy the setting that names it, if that is not the argument at hand. */
function contextOf(name: string, { contexts }: Config, namedBy: string | null = null): NamedNode {
  const node = contexts.get(name);
  if (node !== undefined) return { ...node, context: name };
  const known = [...contexts.keys()];
  throw notFound(
    `there is no context ${JSON.stringify(name)}${namedBy === null ? '' : `, which ${namedBy} names`}`,
    known.length === 0
      ? '`btfctl context set NAME --address ADDRESS` creates one'
      : `known contexts: ${known.join(', ')}${namedBy === CURRENT ? '; `btfctl context use NAME` chooses one' : ''}`,
  );
}

function withTls(node: NamedNode, options: TlsFiles): NamedNode {
  const { address, tls } = node;
  checkAddress(address);
  const hasOptions = Object.values(options).some((value) => value !== undefined);
  if (!hasOptions) return node;
  if (isLocal(address)) {
    throw usageError(`${address} is a Unix socket, which has no TLS: leave out the --tls options`);
  }
  return {
    address,
    tls: {
      caFile: options.caFile ?? tls?.caFile,
      certFile: options.certFile ?? tls?.certFile,
      keyFile: options.keyFile ?? tls?.keyFile,
      serverName: options.serverName ?? tls?.serverName,
    },
    context: namesFiles(options) ? null : node.context,
  };
}

/** namesFiles reports whether options name a TLS file. */
export function namesFiles({ caFile, certFile, keyFile }: TlsFiles): boolean {
  return [caFile, certFile, keyFile].some((path) => path !== undefined);
}

function checkAddress(address: string): void {
  if (isAddress(address)) return;
  throw usageError(`invalid address ${JSON.stringify(address)}: use unix:/PATH or HOST:PORT`);
}

/** isAddress reports whether a text can be the address of a daemon. */
export function isAddress(text: string): boolean {
  // Of unix://some/path, gRPC would take "some" as a host, and the rest as a path from the working directory.
  if (/^unix:(?:\/\/)?\/[^/]/.test(text)) return true;
  const port = Number(/^(?:\[[^\]]+\]|[^:[\]/]+):(\d{1,5})$/.exec(text)?.[1]);
  return port >= 1 && port <= 65_535;
}
