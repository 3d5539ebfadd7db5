/* oxlint-disable no-underscore-dangle -- grpc-js names the methods of credentials so, also those that others implement. */
import { isIP, type Socket } from 'node:net';
import { checkServerIdentity, connect } from 'node:tls';
import { CallCredentials, ChannelCredentials, type ChannelOptions } from '@grpc/grpc-js';
import { invalidArgument } from '../error/argument.js';
import { hostOf } from './address.js';
import type { TlsKeys } from './tls-keys.js';
import { aTls, type Tls } from './tls-options.js';
import { type TlsSource, tlsSource } from './tls-source.js';

type ConnectorArguments = Parameters<ChannelCredentials['_createSecureConnector']>;
type Connector = ReturnType<ChannelCredentials['_createSecureConnector']>;
type SecureConnection = Awaited<ReturnType<Connector['connect']>>;

/**
 * tlsCredentials returns credentials for the option `credentials` of many clients, which share the keys: a file is read once
 * for all clients that connect at the same time.
 *
 * ```ts
 * const credentials = tlsCredentials({ caFile, certFile, keyFile });
 * const clients = addresses.map((address) => new BtfClient(address, { credentials }));
 * ```
 *
 * @param tls as in the options of `BtfClient`.
 * @throws BtfError INVALID_REQUEST for contents or files that cannot be used.
 */
export function tlsCredentials(tls: Tls): ChannelCredentials {
  aTls('tls', tls);
  return new TlsCredentials(tlsSource(tls));
}

/**
 * TlsCredentials take the keys of each connection from a source. Those of grpc-js have the same keys for ever, and send an IP
 * address as the name of a server, which RFC 6066 forbids.
 */
export class TlsCredentials extends ChannelCredentials {
  readonly source: TlsSource;

  constructor(source: TlsSource) {
    super();
    this.source = source;
  }

  override _isSecure(): boolean {
    return true;
  }

  override _equals(other: ChannelCredentials): boolean {
    return other === this;
  }

  override _createSecureConnector(...[target, options, callCredentials]: ConnectorArguments): TlsConnector {
    const host = hostOf(options['grpc.http_connect_target'] ?? target.path);
    return new TlsConnector(this.source, host, options, callCredentials ?? CallCredentials.createEmpty());
  }
}

/** TlsConnector makes the connections to one address. */
export class TlsConnector implements Connector {
  /** The keys of the last connection; null before the first. */
  keys: TlsKeys | null = null;
  readonly #source: TlsSource;
  readonly #host: string | null;
  readonly #options: ChannelOptions;
  readonly #callCredentials: CallCredentials;

  /** @param host the host of the address; null for a unix socket. */
  constructor(
    source: TlsSource,
    host: string | null,
    options: ChannelOptions,
    callCredentials: CallCredentials,
  ) {
    this.#source = source;
    this.#host = host;
    this.#options = options;
    this.#callCredentials = callCredentials;
  }

  /** Gets the keys of the next connection. It comes before the connection, so that a failure costs the daemon nothing. */
  async waitForReady(): Promise<void> {
    this.keys = await this.#source.current();
  }

  async connect(socket: Socket): Promise<SecureConnection> {
    const keys = (this.keys ??= await this.#source.current());
    const name = this.#options['grpc.ssl_target_name_override'] ?? keys.serverName ?? this.#host;
    if (name === null) throw invalidArgument('tls.serverName', 'is required for a unix socket');
    return new Promise((resolve, reject) => {
      const secure = connect({
        socket,
        secureContext: keys.context,
        host: name,
        servername: isIP(name) === 0 ? name : '',
        checkServerIdentity: (_, certificate) => checkServerIdentity(name, certificate),
        ALPNProtocols: ['h2'],
        enableTrace: this.#options['grpc-node.tls_enable_trace'] === 1,
      });
      secure.once('secureConnect', () => resolve({ socket: secure, secure: true }));
      secure.once('close', () => reject(new Error('the connection was closed during the TLS handshake')));
      // Also later: an error without a listener would end the process.
      secure.on('error', reject);
    });
  }

  getCallCredentials(): CallCredentials {
    return this.#callCredentials;
  }

  destroy(): void {
    // The source has nothing to close.
  }
}
