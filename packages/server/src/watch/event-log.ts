import type { ObjectInfo } from '../kernel/kernel.js';
import type { WatchEvent } from './watch-event.js';

/** EventLog remembers the last events, up to a bound. Watchers read it, each at its own pace: none has a queue. */
export class EventLog {
  private readonly ring: WatchEvent[] = [];
  private readonly listeners = new Set<() => void>();
  private count = 0;

  constructor(private readonly limit: number) {}

  /** The number of the last event, 0 before the first. */
  get last(): number {
    return this.count;
  }

  append(kind: WatchEvent['kind'], info: ObjectInfo): void {
    this.count += 1;
    this.ring[this.count % this.limit] = { kind, info, sequence: this.count };
    for (const listener of this.listeners) listener();
  }

  /** The first event behind a position; null where there is none yet, and where it is not remembered any more. */
  after(sequence: number): WatchEvent | null {
    const event = this.ring[(sequence + 1) % this.limit];
    return event?.sequence === sequence + 1 ? event : null;
  }

  /** Calls back at every event, until the function that it answers is called. */
  onAppend(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }
}
