import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeObjects } from './debian-objects.js';
import { MissingPeerError, programPath, requireRoot } from './programs.js';
import { packProject, type PackedProject } from './packed-project.js';
import { ServerProcess } from './server-process.js';

/** VMLINUX is the file of the kernel's own BTF. */
export const VMLINUX = '/sys/kernel/btf/vmlinux';
const UNIT = fileURLToPath(new URL('../../../../deploy/systemd/btfd.service', import.meta.url));
const BARE_SERVER = fileURLToPath(new URL('./bare-server.js', import.meta.url));

/** LabOptions are the options of a {@link Lab}. */
export interface LabOptions {
  /** Whether a missing peer is a failure. */
  readonly requiresPeers: boolean;
  /** Whether rows repeat their work less often. */
  readonly quick: boolean;
  /** The folder for CPU profiles of Node's processes; null for none. */
  readonly cpuProf: string | null;
}

/** Lab has the files, programs and servers that rows share. Each is made when a row first needs it. */
export class Lab implements AsyncDisposable {
  readonly requiresPeers: boolean;
  readonly quick: boolean;
  /** The arguments of every Node process that is measured. */
  readonly nodeArgs: readonly string[];
  readonly #dir = mkdtempSync(join(tmpdir(), 'btfd-bench-'));
  readonly #servers: ServerProcess[] = [];
  #count = 0;
  #packed: PackedProject | null = null;
  #daemon: Promise<ServerProcess> | null = null;
  #forgetful: Promise<ServerProcess> | null = null;
  #goService: Promise<ServerProcess> | null = null;
  #bare: Promise<ServerProcess> | null = null;

  constructor({ requiresPeers, quick, cpuProf }: LabOptions) {
    this.requiresPeers = requiresPeers;
    this.quick = quick;
    this.nodeArgs = cpuProf === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${resolve(cpuProf)}`];
  }

  /** Returns the path of a file or a folder that does not exist yet. */
  newFile(name: string): string {
    this.#count += 1;
    return join(this.#dir, `${this.#count}-${name}`);
  }

  /** Returns a copy of the kernel's own BTF as a file. */
  vmlinux(): string {
    const file = join(this.#dir, 'vmlinux');
    if (existsSync(file)) return file;
    if (!existsSync(VMLINUX)) throw new MissingPeerError(`this kernel has no BTF in ${VMLINUX}`);
    copyFileSync(VMLINUX, file);
    return file;
  }

  /** Returns a folder with the BPF objects in Debian's programs that have CO-RE relocations. @throws MissingPeerError */
  objects(): string {
    const folder = join(this.#dir, 'objects');
    if (!existsSync(folder)) writeObjects(folder);
    return folder;
  }

  /** Returns the SHA-256 of the kernel's own BTF. */
  vmlinuxDigest(): Buffer {
    return createHash('sha256').update(readFileSync(this.vmlinux())).digest();
  }

  /** Returns a file with some bytes, which `make` makes only once for each name. */
  file(name: string, make: () => Uint8Array): string {
    const path = join(this.#dir, name);
    if (!existsSync(path)) writeFileSync(path, make());
    return path;
  }

  /** Returns the packed packages, installed. */
  packed(): PackedProject {
    this.#packed ??= packProject(join(this.#dir, 'packed'));
    return this.#packed;
  }

  /** Starts a packed daemon as systemd does, with its log and audit log in a file. The caller ends it. @throws MissingPeerError without root */
  async startDaemon(...args: readonly string[]): Promise<ServerProcess> {
    requireRoot();
    const address = `unix:${this.newFile('btfd.sock')}`;
    const { btfd } = this.packed();
    return ServerProcess.start({
      command: [process.execPath, ...this.nodeArgs, btfd, '--listen', address, ...args],
      address,
      log: this.newFile('btfd.log'),
      // Metrics are served, as by default, but on any free port.
      env: { NODE_OPTIONS: unitNodeOptions(), BTFD_METRICS_LISTEN: '127.0.0.1:0' },
    });
  }

  /** Returns the daemon that rows share. */
  async daemon(): Promise<ServerProcess> {
    this.#daemon ??= this.#kept(this.startDaemon());
    return this.#daemon;
  }

  /** Returns the daemon that rows share and that keeps no responses. */
  async daemonWithoutResponses(): Promise<ServerProcess> {
    this.#forgetful ??= this.#kept(this.startDaemon('--response-cache', '0'));
    return this.#forgetful;
  }

  /** Starts the service in Go. The caller ends it. @throws MissingPeerError if it was not built. */
  async startGoService(): Promise<ServerProcess> {
    const address = `unix:${this.newFile('go.sock')}`;
    return ServerProcess.start({
      command: [programPath('go-service'), '--address', address],
      address,
      log: this.newFile('go.log'),
    });
  }

  /** Returns the service in Go that rows share. @throws MissingPeerError if it was not built. */
  async goService(): Promise<ServerProcess> {
    programPath('go-service');
    this.#goService ??= this.#kept(this.startGoService());
    return this.#goService;
  }

  /**
   * Returns the bare grpc-js that rows share. It is as warm as the other servers then. It passes each distinct call on to the
   * daemon once, and responds with the recorded messages from then on.
   */
  async bare(): Promise<ServerProcess> {
    this.#bare ??= this.#kept(this.#startRecorder(this.newFile('recording.json')));
    return this.#bare;
  }

  /** Records the daemon's responses to some calls. Returns the file of the recording. */
  async recordCalls(make: (address: string) => Promise<unknown>): Promise<string> {
    const recording = this.newFile('recording.json');
    {
      await using recorder = await this.#startRecorder(recording);
      await make(recorder.address);
    }
    return recording;
  }

  /** Starts bare grpc-js with the responses of a recording. The caller ends it. */
  async startBare(recording: string): Promise<ServerProcess> {
    return this.#startBare(recording);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers.toReversed()) await server[Symbol.asyncDispose]();
    rmSync(this.#dir, { recursive: true, force: true });
  }

  async #startRecorder(recording: string): Promise<ServerProcess> {
    const { address } = await this.daemon();
    return this.#startBare(recording, address);
  }

  async #startBare(recording: string, ...upstream: readonly string[]): Promise<ServerProcess> {
    const socket = this.newFile('bare.sock');
    return ServerProcess.start({
      command: [process.execPath, ...this.nodeArgs, BARE_SERVER, socket, recording, ...upstream],
      address: `unix:${socket}`,
      log: this.newFile('bare.log'),
    });
  }

  async #kept(starting: Promise<ServerProcess>): Promise<ServerProcess> {
    const server = await starting;
    this.#servers.push(server);
    return server;
  }
}

/** Returns the options of Node in the unit of systemd. */
function unitNodeOptions(): string {
  const [, options] = /^Environment=NODE_OPTIONS=(.+)$/m.exec(readFileSync(UNIT, 'utf8')) ?? [];
  if (options === undefined) throw new Error(`${UNIT} has no options of Node`);
  return options;
}
