import type { Socket } from 'node:net';
import { pauseReading, resumeReading } from '../interceptor/internals.js';

/** The time in one turn of the event loop after which sockets are not read any more until the next turn. */
const READ_MS = 15;

/** Reader is a connection that is read in turns. */
export interface Reader {
  readonly socket: Socket;
  /** Whether its calls are worth their cost. */
  readonly trusted: boolean;
}

/**
 * LoopTurn limits how long the event loop works on what clients send before it turns.
 *
 * In one turn the loop reads every socket that has data, up to 2 MiB from each, and HTTP/2 processes all of it at once. A
 * few hundred connections could hold the loop for seconds. When a turn has taken its time, no further socket is read until
 * the next turn. The kernel keeps the data meanwhile.
 */
export class LoopTurn {
  /** Those that were not read for the longest time are first. */
  readonly #readers = new Set<Reader>();
  /** Those that the loop has worked for in this turn. */
  readonly #read = new Set<Reader>();
  readonly #onEnd: () => void;
  readonly #now: () => number;
  #startedAt: number | null = null;
  #paused: readonly Reader[] = [];
  #turns = 0;

  /**
   * @param onEnd - is called at the end of each turn in which there was work
   * @param now - returns the time in milliseconds
   */
  constructor(onEnd: () => void, now: () => number) {
    this.#onEnd = onEnd;
    this.#now = now;
  }

  /** Reads a connection in turns until it closes. */
  add(reader: Reader): void {
    this.#readers.add(reader);
    reader.socket.once('close', () => this.#readers.delete(reader));
  }

  /** Begins a turn, unless one has begun. */
  begin(): void {
    if (this.#startedAt !== null) return;
    this.#startedAt = this.#now();
    setImmediate(() => this.#end());
  }

  /** Notes that the loop has worked on something that came from a connection. */
  worked(reader: Reader): void {
    this.begin();
    this.#read.add(reader);
    const startedAt = this.#startedAt ?? 0;
    if (this.#paused.length > 0 || this.#now() - startedAt < READ_MS) return;
    this.#paused = [...this.#readers];
    for (const { socket } of this.#paused) pauseReading(socket);
  }

  #end(): void {
    this.#startedAt = null;
    this.#turns += 1;
    this.#moveBack();
    if (this.#paused.length > 0) this.#resume();
    this.#onEnd();
  }

  #moveBack(): void {
    for (const reader of this.#read) if (this.#readers.delete(reader)) this.#readers.add(reader);
    this.#read.clear();
  }

  /** Sockets are read in the order in which they are resumed. In every second turn those of good clients are first. */
  #resume(): void {
    this.#paused = [];
    const first = this.#turns % 2 === 0;
    const all = [...this.#readers];
    for (const { socket } of all.filter(({ trusted }) => trusted === first)) resumeReading(socket);
    for (const { socket } of all.filter(({ trusted }) => trusted !== first)) resumeReading(socket);
  }
}
