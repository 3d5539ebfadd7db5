import { join } from 'node:path';
import type { DaemonOptions } from '../daemon.js';
import { startDaemon, type RunningDaemon } from '../start-daemon.js';
import type { Quotas } from '../quota/quotas.js';
import { FakeKernel } from './fake-kernel.js';
import { logLines, type LogLines } from './log-lines.js';
import { TempDir } from './temp-dir.js';

/** ServedDaemon is a daemon on a fake kernel, with a unix socket and metrics. */
export class ServedDaemon implements AsyncDisposable {
  readonly quotas: Quotas;
  readonly #daemon: RunningDaemon;
  readonly #dir: TempDir;

  private constructor(
    daemon: RunningDaemon,
    dir: TempDir,
    /** Its socket. */
    readonly path: string,
    readonly lines: LogLines['lines'],
  ) {
    this.#daemon = daemon;
    this.#dir = dir;
    this.quotas = daemon.services.quotas;
  }

  /** Starts a daemon in which the caller has a role, unless `defaults` is false. It logs every call. */
  static async start(defaults: boolean, options: Partial<DaemonOptions> = {}): Promise<ServedDaemon> {
    const dir = new TempDir();
    const path = join(dir.path, 'btfd.sock');
    // Every call is logged at debug.
    const { logger, lines } = logLines('debug');
    const daemon = await startDaemon({
      addresses: [{ kind: 'unix', path }],
      btfDir: null,
      kernel: new FakeKernel(),
      logger,
      metricsAddress: { kind: 'tcp', host: '127.0.0.1', port: 0 },
      policy: { file: dir.write('policy.yaml', `defaults: ${defaults}\n`) },
      ...options,
    });
    return new ServedDaemon(daemon, dir, path, lines);
  }

  /** Returns the metrics, as Prometheus reads them. */
  async metrics(): Promise<string> {
    return (await fetch(`http://127.0.0.1:${this.#daemon.metricsAddress?.port}/metrics`)).text();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#daemon.stop();
    this.#dir[Symbol.dispose]();
  }
}
