import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CertificateFiles } from '@btfd/server/certs';
import type { LoopDelay } from './loop-delay.js';

/** ChildOptions are the options of a daemon. */
interface ChildOptions {
  /** Default: the policy without a file. */
  readonly policy?: string;
  /** With them, the daemon also listens on TCP. */
  readonly tls?: Pick<CertificateFiles, 'serverCert' | 'serverKey' | 'ca'>;
}

/** Child is a server in another process, on a unix socket. */
export class Child implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #dir: string;
  readonly address: string;
  /** The port of TCP on the loopback address; null if it does not listen on TCP. */
  readonly port: number | null;

  private constructor(child: ChildProcess, dir: string, address: string, port: number | null) {
    this.#child = child;
    this.#dir = dir;
    this.address = address;
    this.port = port;
  }

  /** Starts a program of this package and waits until it listens. */
  static async start(
    program: 'daemon-child' | 'echo-child',
    { policy = '', tls }: ChildOptions = {},
  ): Promise<Child> {
    const dir = mkdtempSync(join(tmpdir(), 'btfd-bench-'));
    const socket = join(dir, 'socket');
    const policyFile = join(dir, 'policy.yaml');
    writeFileSync(policyFile, policy);
    const path = fileURLToPath(new URL(`./${program}.js`, import.meta.url));
    const child = fork(path, [
      socket,
      policyFile,
      ...(tls === undefined ? [] : [tls.serverCert, tls.serverKey, tls.ca]),
    ]);
    const ended = once(child, 'exit').then(([code]) => {
      throw new Error(`${program} ended with ${String(code)}`);
    });
    ended.catch(() => {});
    const listening = new Promise<{ readonly port: number | null }>((resolve) => {
      child.once('message', resolve);
    });
    const { port } = await Promise.race([listening, ended]);
    return new Child(child, dir, `unix:${socket}`, port);
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
