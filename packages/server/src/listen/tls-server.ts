import { constants } from 'node:crypto';
import type { Socket } from 'node:net';
import { createServer, type SecureContextOptions, type Server, type TLSSocket } from 'node:tls';
import type { TlsKeys } from '../auth/tls-files.js';
import { NewestSockets } from './newest-sockets.js';

/** TlsServerOptions are what TLS on connections needs besides keys. */
export interface TlsServerOptions {
  /** Bound of the handshake. */
  readonly handshakeMs: number;
  /** Handshakes at one time; one more breaks the oldest. */
  readonly maxHandshakes: number;
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
  readonly #server: Server;
  readonly #shaking: NewestSockets;
  /** Sockets whose handshake goes on, by their ends: Node doesn't tell which one a TLS socket was made of. */
  readonly #byEnds = new Map<string, Socket>();
  #failedCount = 0;

  constructor(keys: TlsKeys, { handshakeMs, maxHandshakes, onSecure, onFailure }: TlsServerOptions) {
    this.#shaking = new NewestSockets(maxHandshakes);
    this.#server = createServer({
      ...contextOf(keys),
      requestCert: true,
      rejectUnauthorized: false,
      ALPNProtocols: ['h2'],
      handshakeTimeout: handshakeMs,
    });
    this.#server.on('secureConnection', (socket) => {
      // HTTP/2 forbids it, and it could bring another certificate.
      socket.disableRenegotiation();
      socket.on('error', () => {});
      const raw = this.#byEnds.get(endsOf(socket));
      if (raw !== undefined) this.#shaking.remove(raw);
      onSecure(socket);
    });
    this.#server.on('tlsClientError', (error, socket) => {
      socket.destroy();
      this.#failedCount += 1;
      onFailure(error, socket.remoteAddress);
    });
  }

  /** Handshakes that failed, took too long or were broken for others. */
  get failed(): number {
    return this.#failedCount;
  }

  /** Starts the handshake on a connection. */
  accept(socket: Socket): void {
    const ends = endsOf(socket);
    this.#byEnds.set(ends, socket);
    socket.once('close', () => {
      // A client may use its port again before its earlier connection is known to have closed.
      if (this.#byEnds.get(ends) === socket) this.#byEnds.delete(ends);
    });
    this.#shaking.add(socket);
    this.#server.emit('connection', socket);
  }

  /** Takes other keys, for connections that come from now on. */
  replaceKeys(keys: TlsKeys): void {
    this.#server.setSecureContext(contextOf(keys));
  }
}

function endsOf({ localAddress, localPort, remoteAddress, remotePort }: Socket): string {
  return `${localAddress} ${localPort} ${remoteAddress} ${remotePort}`;
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
