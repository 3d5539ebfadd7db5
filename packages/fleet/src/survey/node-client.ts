import { BtfClient, type BtfClientOptions, type Tls, tlsCredentials } from '@btfd/client';
import { type ChannelCredentials, credentials } from '@grpc/grpc-js';
import { invalidArgument } from '../base/argument.js';
import type { FleetNode } from '../source/node-source.js';

/** NodeClientOptions are the options of the clients of all nodes, as `BtfClient` takes them. */
export interface NodeClientOptions extends Pick<
  BtfClientOptions,
  | 'tls'
  | 'credentials'
  | 'metadata'
  | 'interceptors'
  | 'channelOptions'
  | 'specCacheDir'
  | 'specCacheDirBytes'
  | 'timeout'
> {}

/** One more attempt: a daemon that restarts is back in a moment, and its node is not the only one of its build. */
const RETRIES = 1;

/** NodeClients makes the clients of nodes. They share the credentials, which take a millisecond to make. */
export class NodeClients {
  readonly #options: NodeClientOptions;
  readonly #credentials: ChannelCredentials;
  /** The credentials of nodes that have their own, by the paths of the files. */
  readonly #own = new Map<string, ChannelCredentials>();

  /** @throws BtfError INVALID_REQUEST for options that cannot be used. */
  constructor(options: NodeClientOptions) {
    // Checks the options.
    void new BtfClient('host:1', options).close();
    const { tls, credentials: given = credentials.createInsecure() } = options;
    this.#options = options;
    this.#credentials = tls === undefined ? given : tlsCredentials(tls);
  }

  /**
   * open returns a client of a node.
   *
   * @throws BtfError INVALID_REQUEST for an address or certificates that cannot be used, and if a server name needs the name of
   * a node that has none.
   */
  open(node: FleetNode): BtfClient {
    const { tls, channelOptions, ...others } = this.#options;
    const serverName = serverNameOf(node, tls);
    // A socket of this machine has no certificate, unless somebody names it.
    const isLocal =
      node.address.startsWith('unix:') &&
      typeof tls === 'object' &&
      serverName === undefined &&
      node.tls === undefined;
    return new BtfClient(node.address, {
      ...others,
      retries: RETRIES,
      credentials: isLocal ? credentials.createInsecure() : this.#credentialsOf(node),
      channelOptions: {
        ...(serverName === undefined
          ? {}
          : { 'grpc.ssl_target_name_override': serverName, 'grpc.default_authority': serverName }),
        ...channelOptions,
      },
    });
  }

  #credentialsOf({ tls }: FleetNode): ChannelCredentials {
    if (tls === undefined) return this.#credentials;
    if (tls === null) return credentials.createInsecure();
    const { caFile, certFile, keyFile } = tls;
    const paths = JSON.stringify([caFile, certFile, keyFile]);
    const own = this.#own.get(paths) ?? tlsCredentials({ caFile, certFile, keyFile });
    this.#own.set(paths, own);
    return own;
  }
}

/**
 * Returns the name that the certificate of a node must have; undefined if that of a function or the host of the address
 * applies. In the template of the fleet, `{name}` is the name of the node, and `{host}` the host of its address.
 */
function serverNameOf(node: FleetNode, tls: Tls | undefined): string | undefined {
  if (node.serverName !== undefined) return node.serverName;
  if (node.tls !== undefined) return node.tls?.serverName;
  const template = typeof tls === 'object' ? tls.serverName : undefined;
  if (template === undefined) return undefined;
  if (template.includes('{name}') && node.name === undefined) {
    throw invalidArgument('tls.serverName', 'has {name}, but the source gives the node no name: use {host}');
  }
  return template.replaceAll('{name}', node.name ?? '').replaceAll('{host}', hostOf(node.address));
}

function hostOf(address: string): string {
  return address.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
}
