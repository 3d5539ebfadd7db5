import { BtfClient, type BtfClientOptions, type Pem } from '@btfd/client';
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

  /** @throws BtfError INVALID_REQUEST for options that cannot be used. */
  constructor(options: NodeClientOptions) {
    // Checks the options.
    void new BtfClient('host:1', options).close();
    this.#options = options;
    this.#credentials = credentialsOf(options);
  }

  /**
   * open returns a client of a node.
   *
   * @throws BtfError INVALID_REQUEST for an address that cannot be used, and if a server name needs the name of a node that
   * has none.
   */
  open(node: FleetNode): BtfClient {
    const { tls, channelOptions, ...others } = this.#options;
    const serverName = tls === undefined ? undefined : serverNameOf(node, tls.serverName);
    return new BtfClient(node.address, {
      ...others,
      retries: RETRIES,
      credentials: this.#credentials,
      channelOptions: {
        ...(serverName === undefined
          ? {}
          : { 'grpc.ssl_target_name_override': serverName, 'grpc.default_authority': serverName }),
        ...channelOptions,
      },
    });
  }
}

function credentialsOf({ tls, credentials: own }: NodeClientOptions): ChannelCredentials {
  if (tls === undefined) return own ?? credentials.createInsecure();
  return credentials.createSsl(bufferOf(tls.ca), bufferOf(tls.key), bufferOf(tls.cert));
}

function bufferOf(pem: Pem | undefined): Buffer | null {
  return pem === undefined ? null : Buffer.from(pem);
}

/**
 * Returns the name that the certificate of a node must have. `{name}` in a template is the name of the node, and `{host}` the
 * host of its address.
 */
function serverNameOf(node: FleetNode, template: string | undefined): string | undefined {
  if (node.serverName !== undefined || template === undefined) return node.serverName;
  if (template.includes('{name}') && node.name === undefined) {
    throw invalidArgument('tls.serverName', 'has {name}, but the source gives the node no name: use {host}');
  }
  return template.replaceAll('{name}', node.name ?? '').replaceAll('{host}', hostOf(node.address));
}

function hostOf(address: string): string {
  return address.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
}
