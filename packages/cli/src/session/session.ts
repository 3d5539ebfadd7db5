import { accessSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import type { BtfClient, TransferOptions, TransferProgress } from '@btfd/client';
import type { ConfigFile } from '../config/config-file.js';
import { type Config, EMPTY_CONFIG, type FleetConfig } from '../config/config.js';
import { isMissing, readConfigText } from '../config/config-text.js';
import { isLocal, type NamedNode, nodeNamed, type Target, targetOf } from '../config/target.js';
import { CliError, codeOf, usageError } from '../error/cli-error.js';
import { ExitCode } from '../error/exit-code.js';
import { type GlobalOptions, tlsOf } from '../grammar/global-options.js';
import { type Colors, makeColors } from '../output/colors.js';
import { showView, type View } from '../output/formats.js';
import { Output } from '../output/output.js';
import { pagerOf } from '../output/pager-choice.js';
import { Progress } from '../output/progress.js';
import { messageText, nameLine, type NameLine, nameRecord, printableText } from '../output/safe-text.js';
import { Steps } from '../output/steps.js';
import { columnsOf, type Io, type Stream, wantsColor } from '../output/terminal.js';
import { type BpfRef, findBpfObject, formatBpfRef, type FoundBpf } from '../source/bpf-ref.js';
import type { LocalKernel } from '../source/local-kernel.js';
import type { Source } from '../source/source.js';
import {
  formatObjectRef,
  objectWithId,
  parseSpecRef,
  type SpecRef,
  STANDARD_INPUT,
  SYSFS,
} from '../source/spec-ref.js';
import { quietGrpc } from './quiet-grpc.js';
import { RequestTimeout } from './request-timeout.js';

/**
 * Session is one run of a command: its options, its output, and the daemons that it uses. It loads slow modules when they
 * are needed: gRPC to connect to a daemon, the BTF library to read types.
 */
export class Session implements AsyncDisposable {
  readonly options: GlobalOptions;
  readonly env: NodeJS.ProcessEnv;
  readonly out: Output;
  /** The colours of standard output. */
  readonly colors: Colors;
  /** Columns of the terminal on standard output; null if it is not a terminal. */
  readonly width: number | null;
  /** Aborts when the user ends the command. */
  readonly interrupted: AbortSignal;
  readonly #io: Io;
  readonly #clients = new Map<string, Promise<BtfClient>>();
  /** Standard error, if somebody watches its progress; otherwise null. */
  readonly #watched: Stream | null;
  /** Null if nobody would see it. */
  readonly #progress: Progress | null;
  readonly #notes = new Set<string>();
  /** The addresses of its clients. */
  readonly #addresses = new Set<string>();
  #localKernel: Promise<LocalKernel | null> | null = null;
  /** The text of the config file; null in it if there is no file. */
  #configRead: Promise<string | null> | null = null;
  #configFile: Promise<ConfigFile> | null = null;
  #tookInput = false;

  constructor(io: Io, options: GlobalOptions, interrupted: AbortSignal) {
    this.#io = io;
    this.options = options;
    this.env = io.env;
    this.interrupted = interrupted;
    this.colors = makeColors(wantsColor(options.color, io.stdout, io.env));
    const isWatched = io.stderr.isTTY === true && options.quiet !== true;
    this.#watched = isWatched ? io.stderr : null;
    this.#progress = isWatched ? new Progress(io.stderr, () => performance.now()) : null;
    this.width = columnsOf(io.stdout);
    this.out = new Output(io.stdout, { pager: options.pager ? pagerOf(io.env) : null, env: io.env });
  }

  /** Returns the config file. @throws CliError USAGE if it is invalid, NOT_FOUND if `--config` names a missing file. */
  configFile(): Promise<ConfigFile> {
    this.#configFile ??= this.#readConfigFile(this.options.config !== undefined);
    return this.#configFile;
  }

  /** Returns the config file to create it if it is missing. @throws CliError USAGE if it is invalid. */
  newConfigFile(): Promise<ConfigFile> {
    this.#configFile ??= this.#readConfigFile(false);
    return this.#configFile;
  }

  /** Whether standard output is a terminal. */
  get onTerminal(): boolean {
    return this.#io.stdout.isTTY === true;
  }

  /** Returns a name as a line of `-o name`, or with `-0` as a record, unless a person reads it. */
  get nameLine(): NameLine {
    return this.options.null === true && !this.onTerminal ? nameRecord : nameLine;
  }

  /** Whether standard error is a terminal. */
  get errorsOnTerminal(): boolean {
    return this.#io.stderr.isTTY === true;
  }

  /** Returns the fleet of the config file; null if it names none. @throws CliError as `configFile` does. */
  async fleetConfig(): Promise<FleetConfig | null> {
    return (await this.#config()).fleet;
  }

  /** Returns the daemon to use. @throws CliError as `targetOf` does. */
  async target(): Promise<Target> {
    const { address, context } = this.options;
    return targetOf({ address, context, tls: tlsOf(this.options) }, this.env, async () => this.#config());
  }

  /** Prints a result in the format of `-o`. */
  async show(view: View): Promise<void> {
    await showView(this.out, this.options.output, view, this.nameLine);
  }

  /** Prints text piece by piece until the reader is gone. */
  async print(pieces: Iterable<string>): Promise<void> {
    for (const piece of pieces) {
      // A file takes all pieces at once, and signals are only noticed in between.
      await setImmediate();
      this.interrupted.throwIfAborted();
      if (this.out.closed) return;
      await this.out.write(this.onTerminal ? printableText(piece) : piece);
    }
  }

  /** Prints a note on standard error, unless `--quiet` is set. */
  note(text: string): void {
    if (this.options.quiet !== true) this.#io.stderr.write(`${messageText(text)}\n`);
  }

  /** Prints a note like {@link note}, unless it was printed before: several sources may read one base. */
  readonly noteOnce = (text: string): void => {
    if (this.#notes.has(text)) return;
    this.#notes.add(text);
    this.note(`btfctl: note: ${text}`);
  };

  /** Prints a warning on standard error. */
  warn(text: string): void {
    this.#io.stderr.write(`btfctl: ${messageText(text)}\n`);
  }

  /** Returns what shows the steps of a long command until it is disposed of. */
  steps(): Steps {
    return new Steps(this.#watched, () => performance.now());
  }

  /** Starts the timeout of a request. */
  readonly requestTimeout = (): RequestTimeout =>
    new RequestTimeout(this.interrupted, this.options.timeout, () => this.#daemon());

  /** Returns the signal of one request. It aborts when the user ends the command, or when the wait is too long. */
  readonly requestSignal = (): AbortSignal => this.requestTimeout().signal;

  /** Returns the options of one transfer from a source. */
  readonly transferOptions = (source: string): TransferOptions => {
    const timeout = this.requestTimeout();
    const onProgress = (progress: TransferProgress): void => {
      timeout.extend();
      this.#progress?.update(source, progress);
    };
    return { signal: timeout.signal, onProgress };
  };

  /**
   * Returns the kernel of this machine in place of the node of the command, and prints a note about that. Returns null unless
   * no daemon is named, the default one has no socket, and the machine shows the BTF of its kernel.
   */
  localKernel(): Promise<LocalKernel | null> {
    this.#localKernel ??= this.#findLocalKernel();
    return this.#localKernel;
  }

  /** Returns the client of the node of the command, or of the node that a SPEC names. */
  client(node: string | null = null): Promise<BtfClient> {
    const key = node ?? '';
    const client = this.#clients.get(key) ?? this.#connect(node);
    this.#clients.set(key, client);
    return client;
  }

  /**
   * Returns the BTF object of a program or a map in the kernel of the node of the command.
   *
   * @throws CliError as `findBpfObject` does; UNREACHABLE without a daemon.
   * @throws BtfError if the daemon may not list programs and maps, or not for this user.
   */
  async bpfObject(ref: BpfRef): Promise<FoundBpf> {
    if ((await this.localKernel()) !== null) {
      throw new CliError(
        ExitCode.UNREACHABLE,
        `${formatBpfRef(ref)} needs a daemon: the files of the kernel do not show programs and maps`,
        'start btfd, or name another daemon with --address',
      );
    }
    const client = await this.client();
    const infos = await client.listObjects({ details: ['users'], signal: this.requestSignal() });
    return findBpfObject(infos, ref, async (btfId) => (await this.source(objectWithId(btfId))).spec());
  }

  /**
   * Returns the source that a SPEC names.
   *
   * @param base the SPEC of the base of split BTF.
   */
  async source(ref: SpecRef, base?: string): Promise<Source> {
    return this.#sourceOn(ref, await this.#baseOf(base));
  }

  /** sources returns the {@link source} of each of several SPECs. They share the base. */
  async sources(refs: readonly SpecRef[], base?: string): Promise<Source[]> {
    const baseSource = await this.#baseOf(base);
    return Promise.all(refs.map((ref) => this.#sourceOn(ref, baseSource)));
  }

  async #baseOf(base: string | undefined): Promise<Source | null> {
    return base === undefined ? null : this.#sourceOn(parseSpecRef(base), null);
  }

  async #sourceOn(ref: SpecRef, baseSource: Source | null): Promise<Source> {
    if (ref.kind === 'file') {
      if (ref.path === STANDARD_INPUT) this.takeInput();
      const { FileSource } = await import('../source/file-source.js');
      return new FileSource(ref.path, baseSource, this.interrupted, this.noteOnce);
    }
    const { node, object } = ref;
    const local = node === null ? await this.localKernel() : null;
    if (local !== null) return local.source(object, baseSource);
    const { DaemonSource } = await import('../source/daemon-source.js');
    return new DaemonSource(
      formatObjectRef(ref),
      await this.client(node),
      isLocal((await this.#targetOf(node)).address),
      object,
      baseSource,
      this.transferOptions,
      this.noteOnce,
    );
  }

  /** Reserves standard input for a reader. @throws CliError USAGE if it has another one. */
  takeInput(): void {
    if (this.#tookInput) throw usageError('only one SPEC can be -: standard input can be read once');
    this.#tookInput = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#progress?.[Symbol.dispose]();
    // A failure to connect is reported to the caller of client().
    const clients = await Promise.allSettled(this.#clients.values());
    await Promise.all(clients.map(async (made) => made.status === 'fulfilled' && made.value.close()));
    await this.out.end();
  }

  async #findLocalKernel(): Promise<LocalKernel | null> {
    const { address, isDefault } = await this.target();
    if (!isDefault || exists(address.slice('unix:'.length))) return null;
    const { hasLocalKernel, LocalKernel } = await import('../source/local-kernel.js');
    if (!hasLocalKernel()) return null;
    this.noteOnce(`there is no daemon at ${address}: reading ${SYSFS} of this machine`);
    return new LocalKernel({ interrupted: this.interrupted, note: this.noteOnce });
  }

  /** Returns the daemon of the command in words. */
  #daemon(): string {
    const [address, ...more] = this.#addresses;
    return address === undefined || more.length > 0 ? 'the daemon' : `the daemon at ${address}`;
  }

  async #connect(node: string | null): Promise<BtfClient> {
    const target = await this.#targetOf(node);
    this.#addresses.add(target.address);
    quietGrpc();
    const { connectTo } = await import('../config/connect.js');
    return connectTo(target, this.options.timeout, this.env, this.interrupted);
  }

  async #targetOf(node: string | null): Promise<NamedNode> {
    return node === null ? this.target() : this.#nodeNamed(node);
  }

  async #nodeNamed(node: string): Promise<NamedNode> {
    // An address needs no config file, so an invalid one must not matter.
    const config = node.includes(':') ? EMPTY_CONFIG : await this.#config();
    return nodeNamed(node, config, tlsOf(this.options));
  }

  /** Returns the content of the config file. If there is no file, no YAML is loaded. */
  async #config(): Promise<Config> {
    if (this.#configFile === null && (await this.#configText(this.options.config !== undefined)) === null) {
      return EMPTY_CONFIG;
    }
    return (await this.configFile()).config;
  }

  async #readConfigFile(mustExist: boolean): Promise<ConfigFile> {
    const text = await this.#configText(mustExist);
    const { ConfigFile } = await import('../config/config-file.js');
    return ConfigFile.parse(await this.#configPath(), text);
  }

  /** Reads the config file once: it may be a pipe. */
  async #configText(mustExist: boolean): Promise<string | null> {
    this.#configRead ??= this.#configPath().then(async (path) =>
      readConfigText(path, mustExist, this.interrupted),
    );
    return this.#configRead;
  }

  async #configPath(): Promise<string> {
    const { config } = this.options;
    if (config !== undefined) return config;
    const { configPath } = await import('@btfd/client/contexts');
    return configPath(this.env);
  }
}

/** Whether a socket exists. One that the user may not see counts as existing: then the daemon is the one to ask. */
function exists(path: string): boolean {
  try {
    // Not statSync: after that of a socket, Node 20.20 does not follow the links to packages that it loads.
    accessSync(path);
    return true;
  } catch (error) {
    return !isMissing(codeOf(error));
  }
}
