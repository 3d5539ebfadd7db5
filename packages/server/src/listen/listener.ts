import { createServer, type ListenOptions, type Server as NetServer, type Socket } from 'node:net';
import type { Server as GrpcServer, ServerCredentials } from '@grpc/grpc-js';
import type { Address } from './address.js';
import { listenOnUnixSocket, type UnixSocket } from './unix-socket.js';

/** Listener accepts connections for a gRPC server. */
export class Listener {
  private readonly sockets = new Set<Socket>();
  private readonly server: NetServer;
  private unixSocket: UnixSocket | null = null;

  private constructor(grpc: GrpcServer, credentials: ServerCredentials) {
    this.server = createServer((socket) => {
      const injector = grpc.createConnectionInjector(credentials);
      this.sockets.add(socket);
      socket.on('close', () => {
        this.sockets.delete(socket);
        injector.destroy();
      });
      injector.injectConnection(socket);
    });
    // A connection that can't be accepted, as for lack of file descriptors, is no reason to end.
    this.server.on('error', () => {});
  }

  /** Starts to listen. If it can't, nothing is left open. */
  static async open(
    address: Address,
    grpc: GrpcServer,
    credentials: ServerCredentials,
  ): Promise<{ readonly listener: Listener; readonly address: Address }> {
    const listener = new Listener(grpc, credentials);
    try {
      return { listener, address: await listener.listen(address) };
    } catch (error) {
      listener.stopAccepting();
      throw error;
    }
  }

  /** Accepts no more connections; the ones that are open go on. */
  stopAccepting(): void {
    // In this order: the number of its inode is its own while it is open.
    this.unixSocket?.remove();
    this.server.close();
  }

  /** Breaks the connections that are open. */
  destroyConnections(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  /** The address is the one given, with the port that was chosen for port 0. */
  private async listen(address: Address): Promise<Address> {
    if (address.fd !== undefined) {
      // Its path is not ours to remove: the service manager goes on listening.
      await this.listenOn({ fd: address.fd });
      return address;
    }
    if (address.kind === 'unix') {
      this.unixSocket = await listenOnUnixSocket(this.server, address.path);
      return address;
    }
    await this.listenOn({ host: address.host, port: address.port });
    const bound = this.server.address();
    return bound !== null && typeof bound === 'object' ? { ...address, port: bound.port } : address;
  }

  private async listenOn(where: ListenOptions & { readonly fd?: number }): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject).listen(where, resolve);
    });
  }
}
