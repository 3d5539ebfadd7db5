import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { cpuUsBetween, readCpuTime, readRssKib, type CpuTime } from './process-stats.js';

/** ServerCommand starts a server. */
export interface ServerCommand {
  readonly command: readonly string[];
  /** The address on which it will listen. */
  readonly address: string;
  /** The file for its output, which contains `listening` once it listens. */
  readonly log: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** How long a server may take to listen on a busy machine. */
const START_MS = 60_000;

/** ServerProcess is a server in a process of its own. It writes its log to a file, as under an init system. */
export class ServerProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly address: string;
  readonly pid: number;

  private constructor(child: ChildProcess, pid: number, address: string) {
    this.#child = child;
    this.pid = pid;
    this.address = address;
  }

  /** Starts a server and waits until it listens. @throws Error with its output if it ends before. */
  static async start({ command, address, log, env = {} }: ServerCommand): Promise<ServerProcess> {
    const [program = '', ...args] = command;
    const file = openSync(log, 'w');
    const child = spawn(program, args, {
      stdio: ['ignore', file, file],
      env: { ...process.env, ...env },
    });
    closeSync(file);
    await once(child, 'spawn');
    const server = new ServerProcess(child, child.pid ?? 0, address);
    const deadline = performance.now() + START_MS;
    while (!readFileSync(log, 'latin1').includes('listening')) {
      if (child.exitCode !== null || child.signalCode !== null || performance.now() > deadline) {
        child.kill('SIGKILL');
        throw new Error(`${program} does not listen: ${readFileSync(log, 'utf8')}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    return server;
  }

  /** Returns its CPU time until now. */
  cpuTime(): CpuTime {
    return readCpuTime(this.pid);
  }

  /** Returns the CPU time that it used since a reading, in microseconds. */
  cpuUsSince(before: CpuTime): number {
    return cpuUsBetween(before, this.cpuTime());
  }

  /** Returns its resident memory in KiB. */
  rssKib(): number {
    return readRssKib(this.pid);
  }

  /** Sends a signal. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Ends it with SIGTERM, at which Node writes a CPU profile, and waits for it. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await exited;
  }
}
