import { readdirSync, readlinkSync } from 'node:fs';

/** A connection to a node lasts longer than this. */
const SAMPLE_MS = 10;

/** SocketCount samples how many sockets a process has open, from `/proc`. Disposing of it ends the sampling. */
export class SocketCount implements Disposable {
  readonly #folder: string;
  readonly #before: number;
  readonly #timer: NodeJS.Timeout;
  #most: number;

  /** @param pid the process, which has only the sockets yet that do not count. */
  constructor(pid: number) {
    this.#folder = `/proc/${pid}/fd`;
    this.#before = this.#open();
    this.#most = this.#before;
    this.#timer = setInterval(() => (this.#most = Math.max(this.#most, this.#open())), SAMPLE_MS);
  }

  /** The most sockets that were open at one time. */
  get most(): number {
    return this.#most - this.#before;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #open(): number {
    try {
      return readdirSync(this.#folder).filter((fd) => this.#isSocket(fd)).length;
    } catch {
      // The process has ended.
      return 0;
    }
  }

  #isSocket(fd: string): boolean {
    try {
      return readlinkSync(`${this.#folder}/${fd}`).startsWith('socket:');
    } catch {
      // Closed meanwhile.
      return false;
    }
  }
}
