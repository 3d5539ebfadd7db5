import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** BTFCTL is the built program, as npm installs it. */
export const BTFCTL = fileURLToPath(new URL('../../../cli/bin/btfctl.js', import.meta.url));

/** Ran is the output and exit status of a run of btfctl. */
export interface Ran {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number | null;
}

/** Btfctl is a running btfctl. */
export class Btfctl implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #printed = { stdout: '', stderr: '' };

  /**
   * @param env more environment variables. The run does not read the caller's configuration.
   * @param wrapper a command that runs btfctl.
   */
  constructor(args: readonly string[], env: NodeJS.ProcessEnv = {}, wrapper: readonly string[] = []) {
    const [command = '', ...words] = [...wrapper, process.execPath, BTFCTL, ...args];
    this.#child = spawn(command, words, {
      env: { PATH: process.env['PATH'], HOME: '/dev/null', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const name of ['stdout', 'stderr'] as const) {
      this.#child[name]?.setEncoding('utf8').on('data', (text: string) => (this.#printed[name] += text));
    }
  }

  get stdout(): string {
    return this.#printed.stdout;
  }

  get stderr(): string {
    return this.#printed.stderr;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Waits until it ends. */
  async end(): Promise<Ran> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'close');
    return { ...this.#printed, status: this.#child.exitCode };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.end();
  }
}

/** btfctl runs a command and returns its output and exit status. */
export async function btfctl(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  wrapper: readonly string[] = [],
): Promise<Ran> {
  await using run = new Btfctl(args, env, wrapper);
  return await run.end();
}
