import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LoopDelay } from './loop-delay.js';

/** Child is a server in another process, on a unix socket. */
export class Child implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #dir: string;
  readonly address: string;

  private constructor(child: ChildProcess, dir: string, address: string) {
    this.#child = child;
    this.#dir = dir;
    this.address = address;
  }

  /** Starts a program of this package and waits until it listens. A daemon may have a policy. */
  static async start(program: 'daemon-child' | 'echo-child', policy = ''): Promise<Child> {
    const dir = mkdtempSync(join(tmpdir(), 'btfd-bench-'));
    const socket = join(dir, 'socket');
    const policyFile = join(dir, 'policy.yaml');
    writeFileSync(policyFile, policy);
    const path = fileURLToPath(new URL(`./${program}.js`, import.meta.url));
    const child = fork(path, [socket, policyFile]);
    const ended = once(child, 'exit').then(([code]) => {
      throw new Error(`${program} ended with ${String(code)}`);
    });
    ended.catch(() => {});
    await Promise.race([once(child, 'message'), ended]);
    return new Child(child, dir, `unix:${socket}`);
  }

  /** Returns the delay of the child's event loop since the last call. */
  async loopDelay(): Promise<LoopDelay> {
    const response = new Promise<LoopDelay>((resolve) => {
      this.#child.once('message', (delay: LoopDelay) => resolve(delay));
    });
    this.#child.send('delay');
    return response;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
    rmSync(this.#dir, { recursive: true, force: true });
  }
}
