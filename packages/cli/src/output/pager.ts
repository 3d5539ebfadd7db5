import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { drained } from './terminal.js';

/** Quit if the text fits the screen, pass colours through, leave the text on the screen. */
const LESS_OPTIONS = 'FRX';

/** Pager runs a program that shows long text page by page. */
export class Pager {
  readonly #child: ChildProcess;
  #ended = false;

  private constructor(child: ChildProcess) {
    this.#child = child;
    // A user who leaves the pager early has seen enough.
    child.stdin?.on('error', () => {});
    child.on('error', () => (this.#ended = true));
    child.on('close', () => (this.#ended = true));
  }

  static start(command: string, env: NodeJS.ProcessEnv): Pager {
    // The command may have options, as for git and man.
    const child = spawn(command, {
      shell: true,
      stdio: ['pipe', 'inherit', 'inherit'],
      env: { LESS: LESS_OPTIONS, ...env },
    });
    return new Pager(child);
  }

  /** Whether the program has ended. */
  get ended(): boolean {
    return this.#ended;
  }

  async write(text: string | Uint8Array): Promise<void> {
    const { stdin } = this.#child;
    if (stdin === null || this.#ended || stdin.write(text)) return;
    await drained(stdin);
  }

  /** Ends the text, and waits until the user leaves the program. */
  async end(): Promise<void> {
    this.#child.stdin?.end();
    if (!this.#ended) await once(this.#child, 'close').catch(() => {});
  }
}
