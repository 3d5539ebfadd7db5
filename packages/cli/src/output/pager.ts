import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Writable } from 'node:stream';

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

/** pagerOf returns the pager to use: BTFD_PAGER, PAGER or less. Returns null if that is empty, `cat` or not installed. */
export function pagerOf(env: NodeJS.ProcessEnv): string | null {
  const command = (env['BTFD_PAGER'] ?? env['PAGER'] ?? 'less').trim();
  const [program = ''] = command.split(/\s+/);
  return program === '' || program === 'cat' || !isInPath(program, env) ? null : command;
}

function isInPath(program: string, env: NodeJS.ProcessEnv): boolean {
  const folders = program.includes('/') ? [''] : (env['PATH'] ?? '').split(delimiter);
  return folders.some((folder) => {
    try {
      accessSync(folder === '' ? program : join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** drained waits until a stream accepts more data, or is closed. */
export async function drained(stream: Writable): Promise<void> {
  const events = ['drain', 'close', 'error'] as const;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      for (const event of events) stream.off(event, done);
      resolve();
    };
    for (const event of events) stream.on(event, done);
    if (stream.destroyed) done();
  });
}
