import type { Socket } from 'node:net';

/**
 * NewestSockets is a limited set of idle sockets, of which a client could open any number. When it is full, the oldest
 * socket is closed to serve a new one.
 */
export class NewestSockets {
  readonly #most: number;
  readonly #sockets = new Set<Socket>();

  constructor(most: number) {
    this.#most = most;
  }

  /** Adds a socket, until it closes or is removed. */
  add(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.remove(socket));
    const [oldest] = this.#sockets;
    if (oldest === undefined || this.#sockets.size <= this.#most) return;
    this.remove(oldest);
    oldest.destroy();
  }

  /** Removes a socket, which is not closed any more. */
  remove(socket: Socket): void {
    this.#sockets.delete(socket);
  }
}
