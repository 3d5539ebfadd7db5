import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, createWriteStream, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const MACHINES = fileURLToPath(new URL('../../../../.cache/machines', import.meta.url));

/** The ports in the machine: of the agent, and of daemons. */
const AGENT_PORT = 4000;
/** DAEMON_PORTS are the ports of a machine that the host reaches. */
export const DAEMON_PORTS = [7443, 7444] as const;

/** How long a machine may take until its agent responds. It takes 10 s if the host does nothing else. */
const BOOT_MS = 240_000;

/** A busy host runs a machine so rarely that its kernel takes that for a processor that hangs. */
const NO_WATCHDOGS = 'nowatchdog rcupdate.rcu_cpu_stall_suppress=1 workqueue.watchdog_thresh=0';

/** BootOptions are the options of {@link Machine.boot}. */
export interface BootOptions {
  /** Whether the machine has Node, btfd, btfctl, bpftool and tc. Without them it boots faster. Default: true. */
  readonly withDaemon?: boolean;
  /** More words for the command line of the kernel. */
  readonly kernelArgs?: readonly string[];
}

/** Output is the result of a command in a machine. */
export interface Output {
  /** The output of the command, errors included. */
  readonly bytes: Buffer;
  readonly status: number;
}

/** LoadResult says what the kernel did with a BTF. */
export interface LoadResult {
  /** The errno; 0 if the kernel accepts the BTF. */
  readonly errno: number;
  /** The time of the load without a log. */
  readonly micros: number;
  /** The last line of the verifier log. */
  readonly line: string;
}

/** MachineKernel describes the kernel of a machine, as scripts/fetch-kernel-btf.js fetched it. */
export interface MachineKernel {
  /** The series, for example `6.1`. */
  readonly series: string;
  readonly release: string;
  /** The version of the package. */
  readonly version: string;
  /** The names of its modules. */
  readonly modules: readonly string[];
}

/**
 * Machine is a virtual machine with a Debian kernel, under software emulation. It runs commands through an agent. The
 * kernel ends QEMU when the process that started it ends, whatever the reason.
 *
 * To see what a kernel does with BTF that may crash it:
 *
 *     await using machine = await Machine.boot('6.18', { withDaemon: false });
 *     const [result] = await machine.load([bytes]); // null: the kernel crashed, or did not answer
 *     machine.warnings(); // the lines of its console that report a bug
 */
export class Machine implements AsyncDisposable {
  #keepsConsole = false;

  private constructor(
    readonly kernel: MachineKernel,
    private readonly qemu: ChildProcess,
    private readonly agentPort: number,
    /** The ports on the host’s loopback that lead to DAEMON_PORTS of the machine. */
    readonly daemonPorts: readonly number[],
    private readonly consolePath: string,
  ) {}

  /** Boots the kernel of a series, and waits until its agent responds. @throws Error with the end of the console. */
  static async boot(series: string, options: BootOptions = {}): Promise<Machine> {
    const { withDaemon = true, kernelArgs = [] } = options;
    const folder = machineFolder(series);
    if (!existsSync(folder)) {
      throw new Error(`no kernel ${series}: node scripts/fetch-kernel-btf.js --boot ${series}`);
    }
    const kernel: MachineKernel = JSON.parse(readFileSync(join(folder, 'kernel.json'), 'utf8'));
    mkdirSync(join(MACHINES, 'logs'), { recursive: true });
    const consolePath = join(MACHINES, 'logs', `${series}-${process.pid}-${Date.now()}.log`);
    const initrd = consolePath.replace(/log$/, 'initrd');
    const parts = ['core.cpio', ...(withDaemon ? ['daemon.cpio'] : []), `${series}/modules.cpio`];
    await concatenate(
      parts.map((part) => join(MACHINES, part)),
      initrd,
    );
    const agentPort = await freePort();
    const daemonPorts = [await freePort(), await freePort()];
    const qemu = spawn('setpriv', ['--pdeathsig', 'KILL', 'qemu-system-x86_64', ...qemuArgs()], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const machine = new Machine(kernel, qemu, agentPort, daemonPorts, consolePath);
    try {
      await machine.untilUp();
    } catch (error) {
      machine.keepConsole();
      await machine[Symbol.asyncDispose]();
      throw error;
    } finally {
      // QEMU has it in memory.
      rmSync(initrd, { force: true });
    }
    return machine;

    function qemuArgs(): string[] {
      const forwards = [
        `hostfwd=tcp:127.0.0.1:${agentPort}-:${AGENT_PORT}`,
        ...DAEMON_PORTS.map((port, i) => `hostfwd=tcp:127.0.0.1:${daemonPorts[i]}-:${port}`),
      ];
      // 6.1 panics in some boots without no_timer_check. A panic ends QEMU.
      const append = ['console=ttyS0 no_timer_check panic=-1', NO_WATCHDOGS, ...kernelArgs];
      const network = `user,id=net,${forwards.join(',')}`;
      return [
        // V8 guards its code with protection keys, and each switch flushes the TLB of QEMU.
        '-accel tcg -cpu max,-pku -smp 1 -m 1536 -nodefaults -display none -no-reboot'.split(' '),
        ['-serial', `file:${consolePath}`, '-kernel', join(folder, 'vmlinuz'), '-initrd', initrd],
        ['-append', append.join(' ')],
        ['-netdev', network, '-device', 'virtio-net-pci,netdev=net,romfile='],
      ].flat();
    }
  }

  /** The folder for files that failures leave. It may not exist. */
  get filesPath(): string {
    return join(MACHINES, 'logs', this.kernel.series);
  }

  /** Returns the output of the kernel until now. */
  console(): string {
    return existsSync(this.consolePath) ? readFileSync(this.consolePath, 'latin1') : '';
  }

  /** Keeps the file with the output of the kernel after the end of the machine. Returns its path. */
  keepConsole(): string {
    this.#keepsConsole = true;
    return this.consolePath;
  }

  /** Returns the lines of the console that report a bug of the kernel. */
  warnings(): string[] {
    const bug = /WARNING: |BUG: |Oops|Kernel panic|general protection/;
    return this.console()
      .split('\n')
      .filter((line) => bug.test(line));
  }

  /** Whether the machine still runs. */
  get isUp(): boolean {
    return this.qemu.exitCode === null && this.qemu.signalCode === null;
  }

  /** Runs a command with the shell in the machine. @throws Error if the machine ends or does not respond meanwhile. */
  async run(
    command: string,
    options: { readonly input?: Uint8Array; readonly timeoutMs?: number } = {},
  ): Promise<Output> {
    const { input, timeoutMs = 240_000 } = options;
    if (command.includes('\n')) throw new Error('a command is one line; pass a script as input to sh');
    const socket = connect({ host: '127.0.0.1', port: this.agentPort, allowHalfOpen: true });
    const chunks: Buffer[] = [];
    const timer = setTimeout(() => socket.destroy(new Error(`no answer in ${timeoutMs} ms`)), timeoutMs);
    const onExit = (): void => void socket.destroy(new Error('the machine ended'));
    this.qemu.once('exit', onExit);
    try {
      socket.write(`${command}\n`);
      if (input === undefined) socket.end();
      else socket.end(input);
      for await (const chunk of socket) chunks.push(chunk);
    } catch (error) {
      throw new Error(`${command}: ${String(error)}; console: ${this.keepConsole()}`, { cause: error });
    } finally {
      clearTimeout(timer);
      this.qemu.off('exit', onExit);
    }
    const all = Buffer.concat(chunks);
    const end = all.lastIndexOf(0);
    const status = end < 0 ? NaN : Number(all.subarray(end + 1).toString());
    if (Number.isNaN(status))
      throw new Error(`${command}: the connection broke; console: ${this.keepConsole()}`);
    return { bytes: all.subarray(0, end), status };
  }

  /** Runs a shell script and returns its output, without the last newline. @throws Error if its status is not 0. */
  async sh(script: string): Promise<string> {
    const { bytes, status } = await this.run('sh -s', { input: Buffer.from(script) });
    const text = bytes.toString().replace(/\n$/, '');
    if (status !== 0) throw new Error(`status ${status} of \`${script}\`: ${text}`);
    return text;
  }

  /** Writes a file in the machine. */
  async write(path: string, content: Uint8Array | string, mode = '600'): Promise<void> {
    const input = typeof content === 'string' ? Buffer.from(content) : content;
    const { status, bytes } = await this.run(
      `mkdir -p "$(dirname ${path})"; cat > ${path} && chmod ${mode} ${path}`,
      {
        input,
      },
    );
    if (status !== 0) throw new Error(`${path}: ${bytes.toString()}`);
  }

  /** Reads a file in the machine. */
  async read(path: string): Promise<Buffer> {
    const { bytes, status } = await this.run(`cat ${path}`);
    if (status !== 0) throw new Error(bytes.toString());
    return bytes;
  }

  /** Loads BTFs with root’s rights. Returns a result for each, null for those after a crash of the kernel. */
  async load(btfs: readonly Uint8Array[]): Promise<(LoadResult | null)[]> {
    const input = Buffer.concat(
      btfs.flatMap((btf) => {
        const size = Buffer.alloc(4);
        size.writeUInt32LE(btf.length);
        return [size, btf];
      }),
    );
    await this.write('/tmp/btfs', input);
    // Through a file, because a crash loses what is in the connection.
    await this.run('guest-agent load < /tmp/btfs > /tmp/results').catch(() => null);
    const text = this.isUp ? (await this.read('/tmp/results')).toString('latin1') : '';
    const lines = text.split('\n').slice(0, -1);
    return btfs.map((_, i) => {
      const [, errno, micros, line = ''] = /^(\d+) (\d+) ([^]*)$/.exec(lines[i] ?? '') ?? [];
      return errno === undefined ? null : { errno: Number(errno), micros: Number(micros), line };
    });
  }

  /** Returns the seconds since the start of the kernel. */
  async uptime(): Promise<number> {
    return Number((await this.sh('cat /proc/uptime')).split(' ')[0]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.isUp) {
      const exited = once(this.qemu, 'exit');
      this.qemu.kill('SIGKILL');
      await exited;
    }
    if (!this.#keepsConsole) rmSync(this.consolePath, { force: true });
  }

  private async untilUp(): Promise<void> {
    const end = Date.now() + BOOT_MS;
    let stderr = '';
    this.qemu.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    for (;;) {
      if (!this.isUp) throw new Error(`QEMU ended: ${stderr}${this.console().slice(-3000)}`);
      try {
        await this.run('true', { timeoutMs: 10_000 });
        this.#keepsConsole = false;
        return;
      } catch {
        // The agent is not there yet.
      }
      if (Date.now() > end) throw new Error(`no agent in ${BOOT_MS} ms: ${this.console().slice(-3000)}`);
      await sleep(250);
    }
  }
}

/** machineFolder returns the folder of the fetched kernel of a series. */
export function machineFolder(series: string): string {
  return join(MACHINES, series);
}

async function concatenate(parts: readonly string[], target: string): Promise<void> {
  const output = createWriteStream(target);
  for (const part of parts) await pipeline(createReadStream(part), output, { end: false });
  output.end();
  await once(output, 'finish');
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('a TCP socket without a port');
  return address.port;
}
