import type { Socket } from 'node:net';
import { experimental, ServerCredentials, type Server as GrpcServer } from '@grpc/grpc-js';
import type { Callers } from '../auth/callers.js';
import type { Peer } from '../auth/peer.js';
import type { Limits } from '../limits.js';

/** Connections hands connections to a gRPC server, each with the peer that it proves. */
export class Connections {
  constructor(
    private readonly grpc: GrpcServer,
    private readonly callers: Pick<Callers, 'bind'>,
    private readonly limits: Pick<Limits, 'handshakeMs' | 'unauthenticatedMs'>,
  ) {}

  /** Serves a connection. Its calls are its peer's. */
  serve(socket: Socket, peer: Peer): void {
    const credentials = experimental.createServerCredentialsWithInterceptors(
      ServerCredentials.createInsecure(),
      [this.callers.bind(peer)],
    );
    const injector = this.grpc.createConnectionInjector(credentials);
    const timer = this.boundOf(socket, peer);
    socket.once('close', () => {
      clearTimeout(timer);
      injector.destroy();
    });
    injector.injectConnection(socket);
  }

  /** Who isn't known is told so and has to go; who says nothing goes too. */
  private boundOf(socket: Socket, peer: Peer): NodeJS.Timeout {
    const before = socket.bytesRead;
    const isUnknown = peer.kind === 'unknown';
    const end = (): void => {
      if (isUnknown || socket.bytesRead === before) socket.destroy();
    };
    return setTimeout(end, isUnknown ? this.limits.unauthenticatedMs : this.limits.handshakeMs).unref();
  }
}
