import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { until } from './until.js';

const RECEIVER = fileURLToPath(new URL('../../../../native/src/testing/datagrams.py', import.meta.url));

/** NotifySocket receives the notifications of a daemon, as systemd does. */
export class NotifySocket implements Disposable {
  /** The notifications until now, each a list of assignments. */
  readonly received: string[][] = [];

  readonly #child: ChildProcess;

  private constructor(
    child: ChildProcess,
    readonly address: string,
  ) {
    this.#child = child;
  }

  /** Listens at a path, or at an abstract name after `@`. */
  static async open(address: string): Promise<NotifySocket> {
    const child = spawn('python3', [RECEIVER, address], { stdio: ['ignore', 'pipe', 'inherit'] });
    const socket = new NotifySocket(child, address);
    let isBound = false;
    createInterface(child.stdout).on('line', (line) => {
      const text: string = JSON.parse(line);
      if (isBound) socket.received.push(text.split('\n'));
      isBound = true;
    });
    await until('the notify socket is bound', () => isBound);
    return socket;
  }

  /** Returns the states of the notifications, in order. */
  states(): string[] {
    return this.received.flat().filter((each) => /^(READY|RELOADING|STOPPING)=1$/.test(each));
  }

  [Symbol.dispose](): void {
    this.#child.kill();
  }
}
