import { ErrorReason } from '@btfd/api';
import type { Clock } from '../base/clock.js';
import { ServiceError } from '../error/service-error.js';
import type { ObjectInfo } from '../kernel/kernel.js';
import type { EventLog, WatchEvent } from './event-log.js';

/** WatcherContext is what a watcher knows of the watch that it belongs to. */
export interface WatcherContext {
  readonly log: EventLog;
  /** How many events the log remembers. */
  readonly limit: number;
  readonly clock: Clock;
  /** What is there as of the last event. */
  readonly present: () => ObjectInfo[];
  readonly leave: (watcher: Watcher) => void;
}

/** Watcher is one reader of the events. It ends when it is disposed of. */
export class Watcher implements Disposable {
  private failure: { readonly error: unknown } | null = null;
  private read: number;
  private wake = (): void => {};

  constructor(private readonly context: WatcherContext) {
    this.read = this.last;
  }

  /** The number of the last event read. */
  get position(): number {
    return this.read;
  }

  /** The number of the last event there is. */
  get last(): number {
    return this.context.log.last;
  }

  /** Moves behind the last event, and answers what is there as of it. */
  start(): ObjectInfo[] {
    this.read = this.last;
    return this.context.present();
  }

  /** Moves behind an earlier event. Says whether what came after it is remembered. */
  resume(sequence: number): boolean {
    this.read = sequence;
    return !this.isBehind || this.context.log.after(sequence) !== null;
  }

  /**
   * Reads the next event; null where there is none for so many milliseconds.
   *
   * @throws ServiceError with WATCHER_TOO_SLOW if it is not remembered any more.
   * @throws what a look failed with.
   * @throws the signal's reason if it aborts.
   */
  async next(ms: number, signal: AbortSignal): Promise<WatchEvent | null> {
    signal.throwIfAborted();
    if (!this.isBehind && this.failure === null) await this.woken(ms, signal);
    if (this.isBehind) return this.readNext();
    if (this.failure !== null) throw this.failure.error;
    return null;
  }

  /** Makes the watcher fail once it has read what was told before. */
  fail(error: unknown): void {
    this.failure = { error };
    this.wake();
  }

  [Symbol.dispose](): void {
    this.context.leave(this);
  }

  private get isBehind(): boolean {
    return this.read < this.last;
  }

  private readNext(): WatchEvent {
    const event = this.context.log.after(this.read);
    if (event === null) throw tooSlow(this.context.limit);
    this.read = event.sequence;
    return event;
  }

  private async woken(ms: number, signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const settle = (act: () => void): void => {
        timer.cancel();
        stopListening();
        signal.removeEventListener('abort', aborted);
        this.wake = () => {};
        act();
      };
      const aborted = (): void => settle(() => reject(signal.reason));
      this.wake = () => settle(resolve);
      const timer = this.context.clock.after(ms, this.wake);
      const stopListening = this.context.log.onAppend(this.wake);
      signal.addEventListener('abort', aborted);
    });
  }
}

function tooSlow(limit: number): ServiceError {
  const message = `more than ${limit} objects came or went since the client last read: begin anew`;
  return new ServiceError(ErrorReason.WATCHER_TOO_SLOW, message, { metadata: { limit: String(limit) } });
}
