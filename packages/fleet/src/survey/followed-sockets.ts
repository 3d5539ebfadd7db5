/* oxlint-disable no-underscore-dangle -- grpc-js names the methods of credentials so, also those that others implement. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { ChannelCredentials } from '@grpc/grpc-js';

type ConnectorArguments = Parameters<ChannelCredentials['_createSecureConnector']>;
type Connector = ReturnType<ChannelCredentials['_createSecureConnector']>;

/** A daemon that is well closes its end in one round trip. */
const CLOSE_MS = 100;

/**
 * FollowedSockets are credentials that know the sockets of their channel. grpc-js closes a connection only by asking
 * the other side to close it, so that each process that was stopped would keep a socket of ours open for good.
 */
export class FollowedSockets extends ChannelCredentials {
  readonly #inner: ChannelCredentials;
  readonly #sockets = new Set<Socket>();
  #isEnded = false;

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
        return inner.connect(socket);
      },
      waitForReady: async () => inner.waitForReady(),
      getCallCredentials: () => inner.getCallCredentials(),
      destroy: () => inner.destroy(),
    };
  }

  /** end waits until the sockets are closed, which its channel has begun. It ends those that the other side keeps open. */
  async end(): Promise<void> {
    this.#isEnded = true;
    if (this.#sockets.size === 0) return;
    const given = new AbortController();
    const closed = Promise.all([...this.#sockets].map(async (socket) => once(socket, 'close')));
    const patience = setTimeout(CLOSE_MS, null, { signal: given.signal }).catch(() => null);
    await Promise.race([closed.catch(() => null), patience]);
    given.abort();
    for (const socket of this.#sockets) socket.destroy();
  }

  #follow(socket: Socket): void {
    // Its connection was made after the channel was closed.
    if (this.#isEnded) socket.destroy();
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
  }
}
