import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BtfClient } from '@btfd/client';
import { credentials, type ChannelCredentials } from '@grpc/grpc-js';
import { RawClient } from '../testing/raw-client.js';
import { until } from '../testing/until.js';
import type { KernelFacts } from './kernel-table.js';
import { DAEMON_PORTS, Machine, type BootOptions } from './machine.js';

const BTFD = fileURLToPath(new URL('../../../server/bin/btfd.js', import.meta.url));

/** The names of the certificates of clients that `btfd certs` makes. */
const CLIENT_NAME = 'uri:spiffe://btfd/client';

/** DaemonOptions are the options of {@link Lab.startDaemon}. */
export interface DaemonOptions {
  /** A command that runs the daemon, such as `setpriv --bounding-set=-sys_admin`. Default: none. */
  readonly wrapper?: string;
  /** More arguments of the daemon. Default: none. */
  readonly args?: string;
  /** The user that the wrapper changes to. Default: 0. */
  readonly uid?: number;
  /** The index in DAEMON_PORTS of the port on which it listens, with mutual TLS. Default: 0. */
  readonly port?: 0 | 1;
}

/** MachineDaemon is a daemon in a machine. */
export interface MachineDaemon {
  readonly pid: number;
  readonly logPath: string;
  /** The folder of its control group, which has no limits at first. */
  readonly cgroup: string;
  /** The path of its unix socket. */
  readonly socket: string;
  /** Its address on the host. */
  readonly address: string;
  /** The seconds between its start and the moment when it listens. */
  readonly startSeconds: number;
}

/** Lab is a machine with a daemon that the host reaches over TCP with mutual TLS. */
export class Lab implements AsyncDisposable {
  /** The daemon that the clients of the host reach. */
  daemon: MachineDaemon | null = null;
  /** The seconds that the first daemon took to start. */
  mainStartSeconds = NaN;
  /** Whether slow checks look at fewer modules. */
  readonly isBrief = process.env['BTFD_KERNELS_BRIEF'] === '1';

  private constructor(
    readonly facts: KernelFacts,
    readonly machine: Machine,
    private readonly tls: Readonly<Record<'ca' | 'cert' | 'key', Buffer>>,
    /** The seconds between the start of the kernel and the agent’s answer. */
    readonly bootSeconds: number,
    /** The first id of a BTF object before a program of the tests asked for one; 0 if there was none. */
    readonly firstIdAtBoot: number,
  ) {}

  /** Boots a machine and starts the daemon in it, with certificates that `btfd certs` makes. */
  static async open(facts: KernelFacts, options: BootOptions = {}): Promise<Lab> {
    const machine = await Machine.boot(facts.series, options);
    const dir = mkdtempSync(join(tmpdir(), 'btfd-lab-'));
    try {
      const bootSeconds = await machine.uptime();
      const firstId = Number(await machine.sh('guest-agent first-id'));
      execFileSync(process.execPath, [BTFD, 'certs', 'init', dir], { stdio: ['ignore', 'ignore', 'pipe'] });
      for (const name of ['ca.crt', 'server.crt', 'server.key']) {
        await machine.write(`/etc/btfd/${name}`, readFileSync(join(dir, name)));
      }
      // Daemons of another user read them too.
      await machine.sh('chgrp -R 1000 /etc/btfd && chmod 640 /etc/btfd/* && chmod 750 /etc/btfd');
      const [ca, cert, key] = ['ca.crt', 'client.crt', 'client.key'].map((name) =>
        readFileSync(join(dir, name)),
      );
      if (ca === undefined || cert === undefined || key === undefined) throw new Error('no certificates');
      const lab = new Lab(facts, machine, { ca, cert, key }, bootSeconds, firstId);
      lab.daemon = await lab.startDaemon();
      lab.mainStartSeconds = lab.daemon.startSeconds;
      return lab;
    } catch (error) {
      await machine[Symbol.asyncDispose]();
      throw error;
    } finally {
      rmSync(dir, { recursive: true });
    }
  }

  /** Returns a client of the host, by default of the main daemon. The caller closes it. */
  client(daemon = this.mainDaemon()): BtfClient {
    return new BtfClient(daemon.address, { tls: { ...this.tls, serverName: 'localhost' }, timeout: 600_000 });
  }

  /** Returns a client of the host for single calls. The caller closes it. */
  rawClient(): RawClient {
    return new RawClient(this.mainDaemon().address, this.channelCredentials());
  }

  /** Starts a daemon in the machine and waits until it listens. @throws Error with its log if it ends. */
  async startDaemon(options: DaemonOptions = {}): Promise<MachineDaemon> {
    const { wrapper = '', args = '', uid = 0, port = 0 } = options;
    const folder = `/run/btfd-${port}`;
    const [socket, logPath] = [`${folder}/s.sock`, `/tmp/btfd-${port}.log`];
    const cgroup = `/sys/fs/cgroup/btfd-${port}`;
    const words = [
      `--listen unix:${socket} --listen 0.0.0.0:${DAEMON_PORTS[port]}`,
      '--tls-cert /etc/btfd/server.crt --tls-key /etc/btfd/server.key --tls-client-ca /etc/btfd/ca.crt',
      `--loader ${CLIENT_NAME} --metrics-listen off --log-format json`,
      // Emulation is 10 times slower than hardware, and slower still on a busy host.
      '--worker-step-timeout 10m --handshake-timeout 2m',
      args,
    ];
    const { machine } = this;
    const before = await machine.uptime();
    await machine.sh(`rm -rf ${folder} ${logPath}; mkdir -m 750 ${folder}; chown ${uid} ${folder}`);
    await machine.sh(`mkdir -p ${cgroup} && echo max > ${cgroup}/memory.max`);
    // Memory is charged to the group in which a process is when it asks for the memory.
    const inGroup = `sh -c 'echo $$ > ${cgroup}/cgroup.procs && exec "$@"' sh`;
    const command = `${inGroup} ${wrapper} btfd ${words.join(' ')}`;
    const pid = Number(await machine.sh(`setsid ${command} </dev/null >${logPath} 2>&1 & echo $!`));
    await until(
      'the daemon listens',
      async () => {
        const text = await machine.sh(`cat ${logPath}; [ -d /proc/${pid} ] || echo ended`);
        if (text.endsWith('ended')) throw new Error(`btfd ended: ${text}`);
        return text.includes('"msg":"listening"');
      },
      600_000,
    );
    const address = `127.0.0.1:${machine.daemonPorts[port]}`;
    return { pid, logPath, cgroup, socket, address, startSeconds: (await machine.uptime()) - before };
  }

  /** Returns the daemon that the host reaches. @throws Error if it does not run. */
  mainDaemon(): MachineDaemon {
    if (this.daemon === null) throw new Error('the daemon of the machine does not run');
    return this.daemon;
  }

  /** Ends a daemon and waits until its process is gone. */
  async endDaemon(daemon: MachineDaemon, signal: 'TERM' | 'KILL' = 'TERM'): Promise<void> {
    const { machine } = this;
    await machine.sh(`kill -${signal} ${daemon.pid} 2>/dev/null; true`);
    await until(
      'the daemon has ended',
      async () => (await machine.sh(`[ -d /proc/${daemon.pid} ] && echo there || echo gone`)) === 'gone',
      120_000,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.machine[Symbol.asyncDispose]();
  }

  private channelCredentials(): ChannelCredentials {
    const { ca, key, cert } = this.tls;
    return credentials.createSsl(ca, key, cert);
  }
}
