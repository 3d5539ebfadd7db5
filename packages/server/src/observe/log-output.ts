import { wait } from '../base/wait.js';

/** LogStream receives log lines: standard error, or a test's stream. */
export interface LogStream {
  readonly writableLength: number;
  write(text: string, onWritten: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

/**
 * LogOutput writes log lines without ever waiting. If nobody reads a pipe, a limited number of bytes waits and further
 * lines are dropped. If the pipe is closed, all lines are dropped.
 *
 * It is not a pino destination: those write in a thread of libuv's pool, and a thread that waits on a full pipe keeps
 * the process from ending.
 */
export class LogOutput {
  readonly #stream: LogStream;
  /** Bytes that may wait. */
  readonly #maxPending: number;
  /** Formats a line for writing. */
  readonly #format: (line: string) => string;
  /** The number of lines that were dropped. */
  dropped = 0;
  #broken = false;
  #pending = 0;
  #reported = 0;
  #onIdle: (() => void) | null = null;

  constructor(stream: LogStream, maxPending: number, format: (line: string) => string = (line) => line) {
    this.#stream = stream;
    this.#maxPending = maxPending;
    this.#format = format;
    stream.on('error', () => {
      this.#broken = true;
      this.dropped += this.#pending;
      this.#pending = 0;
      this.#onIdle?.();
    });
  }

  /** Writes a line of JSON. */
  write(line: string): void {
    if (this.#broken || this.#stream.writableLength > this.#maxPending) {
      this.dropped += 1;
      return;
    }
    if (this.dropped > this.#reported) {
      this.#reported = this.dropped;
      this.#send(this.#format(droppedLine(this.dropped)));
    }
    this.#send(this.#format(line));
  }

  /** Waits until all lines are written, for `ms` at most. Returns whether they are. */
  async flush(ms: number): Promise<boolean> {
    if (this.#pending === 0) return !this.#broken;
    const idle = await wait(
      (wake) => {
        this.#onIdle = wake;
        return () => (this.#onIdle = null);
      },
      { ms },
    );
    return idle && !this.#broken;
  }

  #send(text: string): void {
    this.#pending += 1;
    try {
      this.#stream.write(text, () => this.#written());
    } catch {
      // Writing to a file on a full disk throws.
      this.dropped += 1;
      this.#written();
    }
  }

  #written(): void {
    if (this.#broken) return;
    this.#pending -= 1;
    if (this.#pending === 0) this.#onIdle?.();
  }
}

/** Returns the line as pino would write a warning. */
function droppedLine(droppedLines: number): string {
  const msg = 'log lines were dropped because nobody read them';
  const time = new Date().toISOString();
  return `${JSON.stringify({ level: 'warn', time, pid: process.pid, droppedLines, msg })}\n`;
}
