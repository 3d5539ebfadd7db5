import type { BtfClient, TransferOptions, TransferProgress } from '@btfd/client';
import { ConfigFile, configPath } from './config/config-file.js';
import { EMPTY_CONFIG, type Node } from './config/config.js';
import { connectTo } from './config/connect.js';
import { nodeNamed, targetOf } from './config/target.js';
import { type GlobalOptions, tlsOf } from './global-options.js';
import { type Colors, makeColors } from './output/colors.js';
import { Output } from './output/output.js';
import { pagerOf } from './output/pager.js';
import { Progress } from './output/progress.js';
import { showView, type View } from './output/show-view.js';
import { DaemonSource } from './source/daemon-source.js';
import { FileSource } from './source/file-source.js';
import { formatObjectRef, parseSpecRef, type SpecRef } from './source/spec-ref.js';
import type { Source } from './source/source.js';
import { columnsOf, type Io, printableText, wantsColor } from './terminal.js';

/** Session is one run of a command: what it was told, where it prints, and the daemons that it asks. */
export class Session implements AsyncDisposable {
  readonly options: GlobalOptions;
  readonly env: NodeJS.ProcessEnv;
  readonly out: Output;
  /** The colours of standard output. */
  readonly colors: Colors;
  /** Columns of the terminal on standard output; null where it is none. */
  readonly width: number | null;
  /** Aborts when the user wants it to end. */
  readonly interrupted: AbortSignal;
  readonly #io: Io;
  readonly #clients = new Map<string, BtfClient>();
  /** Null where nobody sees it. */
  readonly #progress: Progress | null;
  #configFile: ConfigFile | null = null;

  constructor(io: Io, options: GlobalOptions, interrupted: AbortSignal) {
    this.#io = io;
    this.options = options;
    this.env = io.env;
    this.interrupted = interrupted;
    this.colors = makeColors(wantsColor(options.color, io.stdout, io.env));
    const { isTTY } = io.stderr;
    this.#progress =
      isTTY === true && options.quiet !== true ? new Progress(io.stderr, () => performance.now()) : null;
    this.width = columnsOf(io.stdout);
    this.out = new Output(io.stdout, { pager: options.pager ? pagerOf(io.env) : null, env: io.env });
  }

  /** The config file. @throws CliError USAGE where it makes no sense, NOT_FOUND where `--config` names none. */
  get configFile(): ConfigFile {
    this.#configFile ??= this.#openConfig(this.options.config !== undefined);
    return this.#configFile;
  }

  /** The config file, for who makes it where it is not there. @throws CliError USAGE where it makes no sense. */
  get newConfigFile(): ConfigFile {
    this.#configFile ??= this.#openConfig(false);
    return this.#configFile;
  }

  /** Whether standard output is a terminal. */
  get onTerminal(): boolean {
    return this.#io.stdout.isTTY === true;
  }

  /** Where to ask. */
  get target(): Node {
    const { address, context } = this.options;
    return targetOf({ address, context, tls: tlsOf(this.options) }, this.env, () => this.configFile.config);
  }

  /** Prints an answer in the format that was asked for. */
  async show(view: View): Promise<void> {
    await showView(this.out, this.options.output, view);
  }

  /** Tells people something besides the answer, unless they want it quiet. */
  note(text: string): void {
    if (this.options.quiet !== true) this.#io.stderr.write(`${printableText(text)}\n`);
  }

  /** Tells people what went wrong. */
  warn(text: string): void {
    this.#io.stderr.write(`btfctl: ${printableText(text)}\n`);
  }

  /** The signal of one request: aborts when the user wants an end, or after `--timeout`. */
  readonly requestSignal = (): AbortSignal => {
    const { timeout } = this.options;
    if (timeout === undefined) return this.interrupted;
    // Not by AbortSignal.any and AbortSignal.timeout: Node 20 lets go of those while something waits for them.
    const request = new AbortController();
    this.interrupted.addEventListener('abort', () => request.abort(this.interrupted.reason));
    const error = new DOMException('it took too long', 'TimeoutError');
    setTimeout(() => request.abort(error), timeout).unref();
    return request.signal;
  };

  /** The options of one transfer from a source. */
  readonly transferOptions = (source: string): TransferOptions => ({
    signal: this.requestSignal(),
    ...(this.#progress === null
      ? {}
      : { onProgress: (progress: TransferProgress) => this.#progress?.update(source, progress) }),
  });

  /** The client of the node that the command asks, or of the one that a SPEC names. */
  client(node: string | null = null): BtfClient {
    const key = node ?? '';
    const known = this.#clients.get(key);
    if (known !== undefined) return known;
    const target = node === null ? this.target : this.#nodeNamed(node);
    const client = connectTo(target, this.options.timeout, this.env);
    this.#clients.set(key, client);
    return client;
  }

  /**
   * The source that a SPEC names.
   *
   * @param base the SPEC of what split BTF continues.
   */
  source(ref: SpecRef, base?: string): Source {
    const baseSource = base === undefined ? null : this.source(parseSpecRef(base));
    if (ref.kind === 'file') return new FileSource(ref.path, baseSource, this.interrupted);
    const { node, object } = ref;
    return new DaemonSource(
      formatObjectRef(ref),
      this.client(node),
      object,
      baseSource,
      this.transferOptions,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#progress?.[Symbol.dispose]();
    await Promise.all([...this.#clients.values()].map(async (client) => client.close()));
    await this.out.end();
  }

  #openConfig(mustExist: boolean): ConfigFile {
    return new ConfigFile(this.options.config ?? configPath(this.env), mustExist);
  }

  #nodeNamed(node: string): Node {
    // An address needs no config file, not even a good one.
    return nodeNamed(node, node.includes(':') ? EMPTY_CONFIG : this.configFile.config, tlsOf(this.options));
  }
}
