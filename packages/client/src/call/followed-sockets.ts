/* oxlint-disable no-underscore-dangle -- grpc-js names the methods of credentials so, also those that others implement. */
import type { Socket } from 'node:net';
import { ChannelCredentials } from '@grpc/grpc-js';
import { TlsConnector } from './tls-credentials.js';
import type { TlsKeys } from './tls-keys.js';

type ConnectorArguments = Parameters<ChannelCredentials['_createSecureConnector']>;
type Connector = ReturnType<ChannelCredentials['_createSecureConnector']>;

/**
 * FollowedSockets are credentials that know the sockets of their channel. grpc-js closes a connection only by asking the
 * other side to close it, and leaves a handshake in progress alone. Without this, each daemon that is stopped or silent would
 * keep a socket of a closed client open.
 */
export class FollowedSockets extends ChannelCredentials {
  readonly #inner: ChannelCredentials;
  readonly #sockets = new Set<Socket>();
  #isEnded = false;
  #keys: TlsKeys | null = null;
  #allClosed = (): void => {};

  constructor(inner: ChannelCredentials) {
    super();
    this.#inner = inner;
  }

  override _isSecure(): boolean {
    return this.#inner._isSecure();
  }

  /** Channels with equal credentials would share connections. */
  override _equals(other: ChannelCredentials): boolean {
    return other === this;
  }

  override _createSecureConnector(...args: ConnectorArguments): Connector {
    const inner = this.#inner._createSecureConnector(...args);
    return {
      connect: async (socket) => {
        this.#follow(socket);
        if (inner instanceof TlsConnector) this.#keys = inner.keys;
        return inner.connect(socket);
      },
      waitForReady: async () => inner.waitForReady(),
      getCallCredentials: () => inner.getCallCredentials(),
      destroy: () => inner.destroy(),
    };
  }

  /** The keys of the newest connection; null if it has none of ours. */
  get keys(): TlsKeys | null {
    return this.#keys;
  }

  /** closed resolves when no socket is open. */
  async closed(): Promise<void> {
    if (this.#sockets.size === 0) return;
    await new Promise<void>((resolve) => (this.#allClosed = resolve));
  }

  /** end is {@link destroy} for good: from now on no socket is opened. */
  end(): void {
    this.#isEnded = true;
    this.destroy();
  }

  /** destroy closes the sockets that are open, whatever the other side does. */
  destroy(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #follow(socket: Socket): void {
    // Its connection was made after the channel was closed.
    if (this.#isEnded) socket.destroy();
    this.#sockets.add(socket);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      if (this.#sockets.size === 0) this.#allClosed();
    });
  }
}
