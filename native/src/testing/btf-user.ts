import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const SCRIPT = fileURLToPath(new URL('../../src/testing/btf-user.py', import.meta.url));

interface Named {
  readonly id: number;
  readonly name: string;
}

/** The objects that btf-user.py holds. */
interface Held {
  readonly btfId: number;
  readonly map: Named;
  /** Two maps of global variables. */
  readonly globals: readonly [Named, Named];
  readonly program: Named;
  /** A map without BTF. */
  readonly plainMap: Named;
}

/** BtfUser is another process that holds BTF, and a map and a program that were loaded with it. */
export class BtfUser implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly held: Held;

  private constructor(child: ChildProcess, held: Held) {
    this.#child = child;
    this.held = held;
  }

  static async start(): Promise<BtfUser> {
    const child = spawn('python3', [SCRIPT], { stdio: ['pipe', 'pipe', 'inherit'] });
    for await (const line of createInterface(child.stdout)) return new BtfUser(child, JSON.parse(line));
    throw new Error('btf-user.py ended without output');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.stdin?.end();
    await exited;
  }
}
