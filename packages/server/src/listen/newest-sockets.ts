import type { Socket } from 'node:net';

/**
 * NewestSockets are sockets of which somebody could open any number and then do nothing: one too many breaks the oldest,
 * so that who comes now and goes on is served.
 */
export class NewestSockets {
  readonly #most: number;
  readonly #sockets = new Set<Socket>();

  constructor(most: number) {
    this.#most = most;
  }

  /** Takes a socket, until it closes or is removed. */
  add(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.remove(socket));
    const [oldest] = this.#sockets;
    if (oldest === undefined || this.#sockets.size <= this.#most) return;
    this.remove(oldest);
    oldest.destroy();
  }

  /** Leaves a socket alone from now on. */
  remove(socket: Socket): void {
    this.#sockets.delete(socket);
  }
}
