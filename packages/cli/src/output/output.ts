import { setImmediate } from 'node:timers/promises';
import { CliError } from '../error/cli-error.js';
import { ExitCode } from '../error/exit-code.js';
import type { Pager } from './pager.js';
import { drained, type Stream } from './terminal.js';

/** OutputOptions are the options of an {@link Output}. */
export interface OutputOptions {
  /** The command that pages long output; null not to page it. */
  readonly pager: string | null;
  readonly env: NodeJS.ProcessEnv;
}

/**
 * Output writes the result of a command. On a terminal, text that is longer than the screen goes through a pager. A reader
 * that leaves early, such as `head`, ends the output without an error.
 */
export class Output {
  readonly #stream: Stream;
  readonly #pagerCommand: string | null;
  readonly #env: NodeJS.ProcessEnv;
  /** The text that waits until it is known whether it fits the screen. */
  #waiting = '';
  #pager: Pager | null = null;
  #starting: Promise<void> | null = null;
  #closed = false;
  #failure: Error | null = null;

  constructor(stream: Stream, { pager, env }: OutputOptions) {
    this.#stream = stream;
    this.#pagerCommand = stream.isTTY === true ? pager : null;
    this.#env = env;
    stream.on('error', (error: NodeJS.ErrnoException) => {
      this.#closed = true;
      if (error.code !== 'EPIPE') this.#failure = error;
    });
  }

  /** Whether the reader is gone, so that more output is useless. */
  get closed(): boolean {
    return this.#closed || this.#pager?.ended === true;
  }

  /** Writes text or bytes. Waits while the reader is slow. */
  async write(text: string | Uint8Array): Promise<void> {
    if (this.closed) return;
    if (this.#pager !== null) return this.#pager.write(text);
    if (this.#pagerCommand === null || typeof text !== 'string') return this.#send(text);
    this.#waiting += text;
    if (linesOf(this.#waiting) < (this.#stream.rows ?? Infinity)) return;
    this.#starting ??= this.#startPager(this.#pagerCommand);
    return this.#starting;
  }

  /** Writes the text that waits, for output that grows while it is watched. */
  async flush(): Promise<void> {
    await this.#starting;
    const waiting = this.#waiting;
    this.#waiting = '';
    if (waiting !== '') await this.#send(waiting);
  }

  /**
   * Ends the output, and waits until the user leaves the pager.
   *
   * @throws CliError FAILURE if something could not be written, for example because the disk is full.
   */
  async end(): Promise<void> {
    await this.flush();
    await this.#pager?.end();
    // The stream reports failed writes by an event.
    await setImmediate();
    if (this.#failure !== null)
      throw new CliError(ExitCode.FAILURE, `cannot write: ${this.#failure.message}`);
  }

  /** Starts the pager with the text that waits until then. */
  async #startPager(command: string): Promise<void> {
    // Loaded only here: it takes milliseconds to load the code that starts programs.
    const { Pager: Program } = await import('./pager.js');
    const pager = Program.start(command, this.#env);
    this.#pager = pager;
    const waiting = this.#waiting;
    this.#waiting = '';
    await pager.write(waiting);
  }

  async #send(text: string | Uint8Array): Promise<void> {
    if (this.#closed || this.#stream.write(text)) return;
    await drained(this.#stream);
  }
}

function linesOf(text: string): number {
  let lines = 0;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) lines += 1;
  return lines;
}
