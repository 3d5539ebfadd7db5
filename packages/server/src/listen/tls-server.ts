import { constants } from 'node:crypto';
import type { Socket } from 'node:net';
import { createServer, type SecureContextOptions, type Server, type TLSSocket } from 'node:tls';
import type { TlsKeys } from '../auth/tls-files.js';

/** TlsServerOptions are what TLS on connections needs besides keys. */
export interface TlsServerOptions {
  /** Bound of the handshake. */
  readonly handshakeMs: number;
  /** Takes a connection once its handshake is done. */
  readonly onSecure: (socket: TLSSocket) => void;
  /** Takes why a handshake failed. */
  readonly onFailure: (error: Error, remote: string | undefined) => void;
}

/**
 * TlsServer makes TLS of TCP connections that others accept. A client's certificate is asked for, but one that doesn't
 * hold doesn't fail the handshake: the client would see a broken connection, and try again. Whoever takes the
 * connection must look at `authorized`.
 */
export class TlsServer {
  private readonly server: Server;

  constructor(keys: TlsKeys, { handshakeMs, onSecure, onFailure }: TlsServerOptions) {
    this.server = createServer({
      ...contextOf(keys),
      requestCert: true,
      rejectUnauthorized: false,
      ALPNProtocols: ['h2'],
      handshakeTimeout: handshakeMs,
    });
    this.server.on('secureConnection', (socket) => {
      // HTTP/2 forbids it, and it could bring another certificate.
      socket.disableRenegotiation();
      socket.on('error', () => {});
      onSecure(socket);
    });
    this.server.on('tlsClientError', (error, socket) => {
      socket.destroy();
      onFailure(error, socket.remoteAddress);
    });
  }

  /** Starts the handshake on a connection. */
  accept(socket: Socket): void {
    this.server.emit('connection', socket);
  }

  /** Takes other keys, for connections that come from now on. */
  replaceKeys(keys: TlsKeys): void {
    this.server.setSecureContext(contextOf(keys));
  }
}

function contextOf({ cert, key, ca }: TlsKeys): SecureContextOptions {
  return {
    cert,
    key,
    ca,
    minVersion: 'TLSv1.2',
    // A resumed session would bring a certificate that was checked long ago.
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
}
