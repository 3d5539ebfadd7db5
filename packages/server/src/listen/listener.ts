import { once } from 'node:events';
import { statSync } from 'node:fs';
import { lookup as systemLookup } from 'node:dns/promises';
import { createServer, isIP, type ListenOptions, type Server as NetServer, type Socket } from 'node:net';
import { formatAddress, isLoopbackIp, type Address } from '../base/address.js';
import { listenOnUnixSocket, type UnixSocket } from './unix-socket.js';

/** ListenerOptions are what listening needs besides the address. */
export interface ListenerOptions {
  /** The group of unix sockets; null leaves them to the daemon's own. */
  readonly socketGroup: number | null;
  /** Connections at one time, those whose handshake goes on included. More are broken at once. */
  readonly maxConnections: number;
  /** Takes each connection, with the group of the socket that it came to; null for TCP. */
  readonly onConnection: (socket: Socket, socketGid: number | null) => void;
}

/** Listener accepts connections. */
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
      // Whoever serves it tells of errors; what breaks earlier is nobody's.
      socket.on('error', () => {});
      options.onConnection(socket, this.#socketGid);
    });
    this.#server.maxConnections = options.maxConnections;
    // A connection that can't be accepted, as for lack of file descriptors, is no reason to end.
    this.#server.on('error', () => {});
  }

  /** Starts to listen. If it can't, nothing is left open. */
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

  /** Connections that are open. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** Accepts no more connections; the ones that are open go on. */
  stopAccepting(): void {
    // In this order: the number of its inode is its own while it is open.
    this.#unixSocket?.remove();
    this.#server.close();
  }

  /** Breaks the connections that are open. */
  destroyConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** The address is the one given, with the port that was chosen for port 0. */
  async #listen(address: Address): Promise<Address> {
    if (address.fd !== undefined) {
      // Its path is not ours to remove: the service manager goes on listening.
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

/**
 * onLoopback is an address of loopback with the IP address that its name stands for: to listen on the name would be to
 * trust whoever says what it stands for, as a container's `/etc/hosts` or a name server.
 *
 * @throws Error if the name stands for something else.
 */
export async function onLoopback(
  address: Address,
  lookup: (host: string) => Promise<{ readonly address: string }> = systemLookup,
): Promise<Address> {
  if (address.kind === 'unix' || isIP(address.host) !== 0) return address;
  const { address: ip } = await lookup(address.host);
  if (isLoopbackIp(ip)) return { ...address, host: ip };
  throw new Error(
    `${formatAddress(address)} stands for ${ip}, which is not loopback: without TLS nothing else is allowed`,
  );
}
