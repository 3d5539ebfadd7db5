import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from './until.js';

const BTFD = fileURLToPath(new URL('../../../server/bin/btfd.js', import.meta.url));

/** DaemonProcessOptions are the options of a {@link DaemonProcess}. */
export interface DaemonProcessOptions {
  /** Arguments in addition to `--listen`. */
  readonly args?: readonly string[];
  /** A command that runs the daemon, such as `setpriv --bounding-set -sys_admin`. */
  readonly wrapper?: readonly string[];
  /** The path of its socket. Default: a path in a new folder. */
  readonly socket?: string;
  /** Whether `--listen` is passed. Default: true. */
  readonly listen?: boolean;
  /** Environment variables in addition to those of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** The program. Default: the btfd of this repository. */
  readonly btfd?: string;
  /** The Node that runs it. Default: the Node of this process. */
  readonly node?: string;
}

/** DaemonProcess is a process of the built daemon, on its own socket. */
export class DaemonProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #dir: string;

  private constructor(
    child: ChildProcess,
    dir: string,
    readonly socket: string,
    /** The log until now. */
    readonly log: { text: string },
  ) {
    this.#child = child;
    this.#dir = dir;
  }

  /** Starts a daemon, and waits until it listens. */
  static async start(options: DaemonProcessOptions = {}): Promise<DaemonProcess> {
    const { args = [], wrapper = [], socket, listen = true, env = {} } = options;
    const { btfd = BTFD, node = process.execPath } = options;
    const dir = mkdtempSync(join(tmpdir(), 'btfd-e2e-'));
    const path = socket ?? join(dir, 'btfd.sock');
    const words = [...wrapper, node, btfd, ...(listen ? ['--listen', `unix:${path}`] : []), ...args];
    const [command = '', ...rest] = words;
    const child = spawn(command, rest, {
      stdio: ['ignore', 'ignore', 'pipe'],
      // Only one of several daemons could have the default port.
      env: { ...process.env, BTFD_METRICS_LISTEN: 'off', ...env },
    });
    const log = { text: '' };
    child.stderr.setEncoding('utf8').on('data', (text: string) => (log.text += text));
    const daemon = new DaemonProcess(child, dir, path, log);
    await until('the daemon listens', () => {
      if (child.exitCode !== null) throw new Error(`btfd ended with ${child.exitCode}: ${log.text}`);
      return log.text.includes('listening');
    });
    return daemon;
  }

  /** The address of its unix socket. */
  get address(): string {
    return `unix:${this.socket}`;
  }

  /** The URL of the metrics server, from the log. @throws Error if there is none. */
  get metricsUrl(): string {
    const address = /"metrics":"(?<address>[^"]+)"/.exec(this.log.text)?.groups?.['address'];
    if (address === undefined) throw new Error('the daemon serves no metrics');
    return `http://${address}`;
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error('the daemon did not start');
    return this.#child.pid;
  }

  /** Returns the port of its TCP address on loopback, or null before the log names it. */
  tcpPort(): number | null {
    const port = /"127\.0\.0\.1:(\d+)"/.exec(this.log.text)?.[1];
    return port === undefined ? null : Number(port);
  }

  /** Returns the number of BTF objects that it holds open. */
  btfFds(): number {
    return this.fds().filter((target) => target === 'anon_inode:btf').length;
  }

  /** Stops reading its log, so that the pipe soon is full. */
  leaveLogUnread(): void {
    this.#child.stderr?.pause();
  }

  /** Closes the read end of its log. */
  closeLog(): void {
    this.#child.stderr?.destroy();
  }

  /** Returns the targets of its file descriptors. */
  fds(): string[] {
    const dir = `/proc/${this.pid}/fd`;
    return readdirSync(dir).flatMap((fd) => {
      try {
        return [readlinkSync(join(dir, fd))];
      } catch {
        return []; // Closed meanwhile.
      }
    });
  }

  /** Returns its resident memory in bytes. */
  residentBytes(): number {
    const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'));
    return Number(match?.[1]) * 1024;
  }

  /** Returns the CPU time that all of its threads have used, in milliseconds. */
  cpuMs(): number {
    const tasks = `/proc/${this.pid}/task`;
    const times = readdirSync(tasks).map(
      (task) => readFileSync(`${tasks}/${task}/schedstat`, 'utf8').split(' ')[0],
    );
    return times.reduce((sum, ns) => sum + Number(ns), 0) / 1e6;
  }

  /** Sends a signal. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Sends a signal and waits until it ends. Returns the exit code, or null if the signal ended it. */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const exited = once(this.#child, 'exit');
      this.#child.kill(signal);
      await exited;
    }
    return this.#child.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end('SIGKILL');
    rmSync(this.#dir, { recursive: true, force: true });
  }
}
