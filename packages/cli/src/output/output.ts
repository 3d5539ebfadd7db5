import { setImmediate } from 'node:timers/promises';
import { CliError } from '../error/cli-error.js';
import { ExitCode } from '../error/exit-code.js';
import type { Stream } from './terminal.js';
import { drained, Pager } from './pager.js';

/** OutputOptions are the options of an {@link Output}. */
export interface OutputOptions {
  /** The command that pages long output; null for none. */
  readonly pager: string | null;
  readonly env: NodeJS.ProcessEnv;
}

/**
 * Output is what a command prints. On a terminal, text that is longer than the screen goes through a pager; a
 * reader that has had enough, such as `head`, ends it without a word.
 */
export class Output {
  readonly #stream: Stream;
  readonly #pagerCommand: string | null;
  readonly #env: NodeJS.ProcessEnv;
  /** What waits until it is known whether it fits the screen. */
  #waiting = '';
  #pager: Pager | null = null;
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

  /** Whether nobody reads any more, so that there is no use in going on. */
  get closed(): boolean {
    return this.#closed || this.#pager?.ended === true;
  }

  /** Writes text. Waits while the reader is slow. */
  async write(text: string | Uint8Array): Promise<void> {
    if (this.closed) return;
    if (this.#pager !== null) return this.#pager.write(text);
    if (this.#pagerCommand === null || typeof text !== 'string') return this.#send(text);
    this.#waiting += text;
    if (linesOf(this.#waiting) < (this.#stream.rows ?? Infinity)) return;
    const waiting = this.#waiting;
    this.#waiting = '';
    this.#pager = Pager.start(this.#pagerCommand, this.#env);
    return this.#pager.write(waiting);
  }

  /** Writes what waits at once: for output that grows while one looks at it. */
  async flush(): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = '';
    if (waiting !== '') await this.#send(waiting);
  }

  /**
   * Ends the output, and waits for the pager's end.
   *
   * @throws CliError FAILURE where something could not be written, as for lack of room.
   */
  async end(): Promise<void> {
    await this.flush();
    await this.#pager?.end();
    // What the stream could not write, it tells by an event.
    await setImmediate();
    if (this.#failure !== null)
      throw new CliError(ExitCode.FAILURE, `cannot write: ${this.#failure.message}`);
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
