import { constants } from 'node:crypto';
import type { Socket } from 'node:net';
import { createServer, type SecureContextOptions, type Server, type TLSSocket } from 'node:tls';
import type { TlsKeys } from '../auth/tls-files.js';
import { NewestSockets } from './newest-sockets.js';

/** TlsServerOptions are the options of a TlsServer. */
export interface TlsServerOptions {
  /** The longest handshake, in milliseconds. */
  readonly handshakeMs: number;
  /** Maximum number of handshakes at one time. A further one closes the oldest. */
  readonly maxHandshakes: number;
  /** Gets each connection when its handshake is complete. */
  readonly onSecure: (socket: TLSSocket) => void;
  /** Gets the error of each handshake that failed. */
  readonly onFailure: (error: Error, remote: string | undefined) => void;
}

/**
 * TlsServer does the TLS handshake on accepted TCP connections. It asks for a client certificate, but an invalid one does
 * not fail the handshake: the client would only see a broken connection, and try again. So the receiver of a connection
 * must check `authorized`.
 */
export class TlsServer {
  readonly #server: Server;
  readonly #shaking: NewestSockets;
  /** Sockets in their handshake, by their two addresses: Node does not say which one a TLS socket was made from. */
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
      // HTTP/2 forbids renegotiation, which could bring another certificate.
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

  /** How many handshakes failed, took too long or were closed to serve newer ones. */
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

  /** Replaces the keys, for new connections. */
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
