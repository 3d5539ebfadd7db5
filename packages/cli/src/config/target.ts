import { notFound, usageError } from '../error/cli-error.js';
import type { Config, Node, TlsFiles } from './config.js';

/** TargetOptions are what the command line says of the daemon to ask. */
export interface TargetOptions {
  readonly address?: string | undefined;
  readonly context?: string | undefined;
  readonly tls: TlsFiles;
}

/**
 * targetOf is the daemon to ask: that of `--address`, of `--context`, of `BTFD_ADDRESS`, of `BTFD_CONTEXT`, of the
 * config file's current context, or else the one of this user on this machine. `--tls-…` come before what a
 * context says of TLS; a context's certificates go to its own address only.
 *
 * @throws CliError NOT_FOUND for a context that is not there; USAGE for an address that is none.
 */
export async function targetOf(
  options: TargetOptions,
  env: NodeJS.ProcessEnv,
  config: () => Promise<Config>,
): Promise<Node> {
  if (options.address !== undefined && options.context !== undefined) {
    throw usageError('--address and --context name two daemons: give one of them');
  }
  return withTls(await namedNode(options, env, config), options.tls);
}

/** nodeNamed is the daemon that a text names: a context, or an address. */
export function nodeNamed(name: string, config: Config, tls: TlsFiles): Node {
  const node = name.includes(':') ? { address: name, tls: null } : contextOf(name, config);
  // Of several nodes one may be this machine's own.
  return withTls(node, node.address.startsWith('unix:') ? {} : tls);
}

async function namedNode(
  options: TargetOptions,
  env: NodeJS.ProcessEnv,
  config: () => Promise<Config>,
): Promise<Node> {
  const { BTFD_ADDRESS: address, BTFD_CONTEXT: context } = env;
  if (options.address !== undefined) return { address: options.address, tls: null };
  if (options.context !== undefined) return contextOf(options.context, await config());
  if (address !== undefined && address !== '') return { address, tls: null };
  if (context !== undefined && context !== '') return contextOf(context, await config());
  const file = await config();
  if (file.currentContext !== null) return contextOf(file.currentContext, file);
  // Whoever asks for it goes on to the daemon there, which needs all of the client.
  const { defaultAddress } = await import('@btfd/client');
  return { address: defaultAddress(), tls: null };
}

function contextOf(name: string, { contexts }: Config): Node {
  const node = contexts.get(name);
  if (node !== undefined) return node;
  const known = [...contexts.keys()];
  throw notFound(
    `there is no context ${JSON.stringify(name)}`,
    known.length === 0
      ? '`btfctl context set NAME --address ADDRESS` makes one'
      : `there are: ${known.join(', ')}`,
  );
}

function withTls({ address, tls }: Node, options: TlsFiles): Node {
  checkAddress(address);
  const given = Object.values(options).some((value) => value !== undefined);
  if (!given) return { address, tls };
  if (address.startsWith('unix:')) {
    throw usageError(`${address} is a socket of this machine, which has no TLS: leave out --tls-…`);
  }
  return {
    address,
    tls: {
      ca: options.ca ?? tls?.ca,
      cert: options.cert ?? tls?.cert,
      key: options.key ?? tls?.key,
      serverName: options.serverName ?? tls?.serverName,
    },
  };
}

function checkAddress(address: string): void {
  if (/^unix:(?:\/\/)?\/./.test(address)) return;
  const port = Number(/^(?:\[[^\]]+\]|[^:[\]/]+):(\d{1,5})$/.exec(address)?.[1]);
  if (port >= 1 && port <= 65_535) return;
  throw usageError(`${JSON.stringify(address)} is no address: write unix:/PATH or HOST:PORT`);
}
