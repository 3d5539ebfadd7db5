import { once } from 'node:events';
import { statSync } from 'node:fs';
import { lookup as systemLookup } from 'node:dns/promises';
import { createServer, isIP, type ListenOptions, type Server as NetServer, type Socket } from 'node:net';
import { fdOf } from '../grpc/interceptor/internals.js';
import { formatAddress, isLoopbackIp, type Address } from '../base/address.js';
import { listenOnUnixSocket, type UnixSocket } from './unix-socket.js';

/** ListenerOptions are the options of a Listener. */
export interface ListenerOptions {
  /** The group of unix sockets; null for the daemon's own group. */
  readonly socketGroup: number | null;
  /** Maximum number of connections, including those in their handshake. Further ones are closed at once. */
  readonly maxConnections: number;
  /** Gets each connection, with the group of its unix socket; null for TCP. */
  readonly onConnection: (socket: Socket, socketGid: number | null) => void;
  /** How many files the process may open. */
  readonly maxFiles: number;
  /** Gets an error if connections cannot be accepted, for example for lack of file descriptors. */
  readonly onFailure: (error: Error) => void;
}

/** Listener accepts connections on one address. */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #sockets = new Set<Socket>();
  readonly #server: NetServer;
  #unixSocket: UnixSocket | null = null;
  #socketGid: number | null = null;

  private constructor(options: ListenerOptions) {
    this.#options = options;
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      // The server that receives the socket handles its errors. Earlier errors have no effect.
      socket.on('error', () => {});
      // libuv closes the connections after this one, and reports no error.
      if (fdOf(socket) === options.maxFiles - 1) options.onFailure(outOfFiles(options.maxFiles));
      options.onConnection(socket, this.#socketGid);
    });
    this.#server.maxConnections = options.maxConnections;
    this.#server.on('error', (error) => {
      // Failing to listen is reported by `open`.
      if (this.#server.listening) options.onFailure(error);
    });
  }

  /**
   * Starts to listen. Returns the address with the actual port instead of port 0.
   *
   * @throws Error if it cannot. Nothing is left open then.
   */
  static async open(
    address: Address,
    options: ListenerOptions,
  ): Promise<{ readonly listener: Listener; readonly address: Address }> {
    const listener = new Listener(options);
    try {
      return { listener, address: await listener.#listen(address) };
    } catch (error) {
      listener.stopAccepting();
      throw error;
    }
  }

  /** The number of open connections. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** Accepts no more connections. The open ones continue. */
  stopAccepting(): void {
    // In this order: its inode number is not used again while it is open.
    this.#unixSocket?.remove();
    this.#server.close();
  }

  /** Closes the open connections. */
  destroyConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Returns the address with the actual port instead of port 0. */
  async #listen(address: Address): Promise<Address> {
    if (address.fd !== undefined) {
      // Its path is not ours to remove: the service manager continues to listen.
      if (address.kind === 'unix') this.#socketGid = statSync(address.path).gid;
      await this.#listenOn({ fd: address.fd });
      return address;
    }
    if (address.kind === 'unix') {
      const onBound = (gid: number): void => {
        this.#socketGid = gid;
      };
      const { socketGroup } = this.#options;
      this.#unixSocket = await listenOnUnixSocket(this.#server, address.path, socketGroup, onBound);
      return address;
    }
    await this.#listenOn({ host: address.host, port: address.port });
    const bound = this.#server.address();
    return bound !== null && typeof bound === 'object' ? { ...address, port: bound.port } : address;
  }

  async #listenOn(where: ListenOptions & { readonly fd?: number }): Promise<void> {
    await once(this.#server.listen(where), 'listening');
  }
}

function outOfFiles(maxFiles: number): Error {
  const error = new Error(`a connection has taken the last of ${maxFiles} file descriptors`);
  return Object.assign(error, { code: 'EMFILE' });
}

/**
 * onLoopback resolves the name in an address, and returns the address with its IP address. Listening on the name itself
 * would trust whatever resolves it later, for example the `/etc/hosts` of a container or a name server.
 *
 * @throws Error if the name does not resolve to a loopback address.
 */
export async function onLoopback(
  address: Address,
  lookup: (host: string) => Promise<{ readonly address: string }> = systemLookup,
): Promise<Address> {
  if (address.kind === 'unix' || isIP(address.host) !== 0) return address;
  const { address: ip } = await lookup(address.host);
  if (isLoopbackIp(ip)) return { ...address, host: ip };
  throw new Error(
    `${formatAddress(address)} resolves to ${ip}, which is not loopback: without TLS nothing else is allowed`,
  );
}
