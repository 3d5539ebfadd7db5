import type { Socket } from 'node:net';
import { experimental, ServerCredentials, type Server as GrpcServer } from '@grpc/grpc-js';
import type { Callers } from '../auth/callers.js';
import type { Peer } from '../auth/peer.js';
import type { Limits } from '../limits.js';
import type { Quota } from '../quota/quota.js';

/** HTTP/2's preface and an empty SETTINGS frame: what every client sends first, without being asked. */
const HELLO_BYTES = 24 + 9;

/** Connections hands connections to a gRPC server, each with the peer that it proves. */
export class Connections {
  constructor(
    private readonly grpc: GrpcServer,
    private readonly callers: Pick<Callers, 'bind' | 'nameOf'>,
    private readonly quota: Quota,
    private readonly limits: Pick<Limits, 'handshakeMs' | 'unauthenticatedMs'>,
  ) {}

  /**
   * Serves a connection. Its calls are its peer's. One more than its peer may have is broken: to tell why would keep it
   * open, which is what there are too many of.
   */
  serve(socket: Socket, peer: Peer): void {
    const name = this.callers.nameOf(peer);
    if (!this.quota.hasRoom(name)) {
      socket.destroy();
      return;
    }
    const taken = this.quota.take(name);
    const credentials = experimental.createServerCredentialsWithInterceptors(
      ServerCredentials.createInsecure(),
      [this.callers.bind(peer)],
    );
    const injector = this.grpc.createConnectionInjector(credentials);
    const timer = this.boundOf(socket, peer);
    socket.once('close', () => {
      clearTimeout(timer);
      taken[Symbol.dispose]();
      injector.destroy();
    });
    injector.injectConnection(socket);
  }

  /** Who isn't known is told so and has to go; who doesn't begin to speak goes too. */
  private boundOf(socket: Socket, peer: Peer): NodeJS.Timeout {
    const before = socket.bytesRead;
    const isUnknown = peer.kind === 'unknown';
    const end = (): void => {
      if (isUnknown || socket.bytesRead - before < HELLO_BYTES) socket.destroy();
    };
    return setTimeout(end, isUnknown ? this.limits.unauthenticatedMs : this.limits.handshakeMs).unref();
  }
}
