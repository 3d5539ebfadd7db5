import { wait } from '../base/wait.js';

/** LogStream is where log lines go: standard error, or what stands for it in a test. */
export interface LogStream {
  readonly writableLength: number;
  write(text: string, onWritten: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

/**
 * LogOutput writes log lines without ever waiting: where nobody reads a pipe, lines wait up to a bound and are
 * dropped beyond it; where nobody can read it any more, all are.
 *
 * It is no pino destination, whose writes wait in a thread of libuv's pool: one that waits on a full pipe
 * keeps the process from ending.
 */
export class LogOutput {
  readonly #stream: LogStream;
  /** Bytes that may wait. */
  readonly #maxPending: number;
  /** What is written of a line. */
  readonly #format: (line: string) => string;
  /** Lines that were dropped. */
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

  /** Takes a line of JSON. */
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

  /** Waits until what was taken is written, for a time at most. Says whether it is. */
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
      // A file on a full disk throws.
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

/** As pino writes a warning. */
function droppedLine(droppedLines: number): string {
  const msg = 'log lines were dropped: nobody read them';
  return `${JSON.stringify({ level: 40, time: Date.now(), pid: process.pid, droppedLines, msg })}\n`;
}
