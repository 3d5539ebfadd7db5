import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LoopDelay } from './loop-delay.js';

/** Child is a server in a process of its own, on a unix socket. */
export class Child implements AsyncDisposable {
  private constructor(
    private readonly child: ChildProcess,
    private readonly dir: string,
    readonly address: string,
  ) {}

  /** Starts a program of this package, and waits until it says that it listens. */
  static async start(program: 'daemon-child' | 'echo-child'): Promise<Child> {
    const dir = mkdtempSync(join(tmpdir(), 'btfd-bench-'));
    const socket = join(dir, 'socket');
    const child = fork(fileURLToPath(new URL(`./${program}.js`, import.meta.url)), [socket]);
    const ended = once(child, 'exit').then(([code]) => {
      throw new Error(`${program} ended with ${String(code)}`);
    });
    ended.catch(() => {});
    await Promise.race([once(child, 'message'), ended]);
    return new Child(child, dir, `unix:${socket}`);
  }

  /** The delay of its event loop since this was last asked. */
  async loopDelay(): Promise<LoopDelay> {
    const answer = new Promise<LoopDelay>((resolve) => {
      this.child.once('message', (delay: LoopDelay) => resolve(delay));
    });
    this.child.send('delay');
    return answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exited = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await exited;
    rmSync(this.dir, { recursive: true, force: true });
  }
}
