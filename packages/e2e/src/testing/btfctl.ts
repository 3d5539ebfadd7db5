import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** BTFCTL is the built program, as npm installs it. */
export const BTFCTL = fileURLToPath(new URL('../../../cli/bin/btfctl.js', import.meta.url));

/** Ran is what a run of btfctl left. */
export interface Ran {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number | null;
}

/** Btfctl is a run of btfctl that is under way. */
export class Btfctl implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #said = { stdout: '', stderr: '' };

  /** @param env what its environment has besides; nothing of the caller's config is seen. */
  constructor(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    this.#child = spawn(process.execPath, [BTFCTL, ...args], {
      env: { PATH: process.env['PATH'], HOME: '/dev/null', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const name of ['stdout', 'stderr'] as const) {
      this.#child[name]?.setEncoding('utf8').on('data', (text: string) => (this.#said[name] += text));
    }
  }

  get stdout(): string {
    return this.#said.stdout;
  }

  get stderr(): string {
    return this.#said.stderr;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Waits for the end. */
  async end(): Promise<Ran> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'close');
    return { ...this.#said, status: this.#child.exitCode };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.end();
  }
}

/** btfctl runs a command to its end. */
export async function btfctl(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ran> {
  await using run = new Btfctl(args, env);
  return await run.end();
}
