import { ErrorReason } from '@btfd/api';
import type { Clock } from '../base/clock.js';
import { wait } from '../base/wait.js';
import { ServiceError } from '../error/service-error.js';
import type { ObjectInfo } from '../kernel/kernel.js';
import type { EventLog, WatchEvent } from './event-log.js';

/** WatcherContext is the part of a watch that a watcher uses. */
export interface WatcherContext {
  readonly log: EventLog;
  /** How many events the log remembers. */
  readonly limit: number;
  readonly clock: Clock;
  /** Returns the objects that are there as of the last event. */
  readonly present: () => ObjectInfo[];
  readonly leave: (watcher: Watcher) => void;
}

/** Watcher is one reader of the events, until it is disposed of. */
export class Watcher implements Disposable {
  #failure: { readonly error: unknown } | null = null;
  #read: number;
  #wake = (): void => {};
  readonly #context: WatcherContext;

  constructor(context: WatcherContext) {
    this.#context = context;
    this.#read = this.last;
  }

  /** The number of the last event read. */
  get position(): number {
    return this.#read;
  }

  /** The number of the last event in the log. */
  get last(): number {
    return this.#context.log.last;
  }

  /** start moves to the last event, and returns the objects that are there as of it. */
  start(): ObjectInfo[] {
    this.#read = this.last;
    return this.#context.present();
  }

  /** resume moves to an earlier event. It returns whether the events after it are remembered. */
  resume(sequence: number): boolean {
    this.#read = sequence;
    return !this.#isBehind || this.#context.log.after(sequence) !== null;
  }

  /**
   * next returns the next event, or null if there is none for `ms` milliseconds.
   *
   * @throws ServiceError WATCHER_TOO_SLOW if the event is not remembered any more.
   * @throws Error the error of a look that failed.
   * @throws the signal's reason if it aborts.
   */
  async next(ms: number, signal: AbortSignal): Promise<WatchEvent | null> {
    signal.throwIfAborted();
    if (!this.#isBehind && this.#failure === null) await this.#woken(ms, signal);
    if (this.#isBehind) return this.#readNext();
    if (this.#failure !== null) throw this.#failure.error;
    return null;
  }

  /** fail makes `next` fail after it has returned the remaining events. */
  fail(error: unknown): void {
    this.#failure = { error };
    this.#wake();
  }

  [Symbol.dispose](): void {
    this.#context.leave(this);
  }

  get #isBehind(): boolean {
    return this.#read < this.last;
  }

  #readNext(): WatchEvent {
    const event = this.#context.log.after(this.#read);
    if (event === null) throw tooSlow(this.#context.limit);
    this.#read = event.sequence;
    return event;
  }

  async #woken(ms: number, signal: AbortSignal): Promise<void> {
    const { log, clock } = this.#context;
    await wait(
      (wake) => {
        this.#wake = wake;
        const stopListening = log.onAppend(wake);
        return () => {
          stopListening();
          this.#wake = () => {};
        };
      },
      { signal, ms, clock },
    );
  }
}

function tooSlow(limit: number): ServiceError {
  const message = `more than ${limit} objects were added or removed since the client last read: start a new watch`;
  return new ServiceError(ErrorReason.WATCHER_TOO_SLOW, message, { metadata: { limit: String(limit) } });
}
