import type { ObjectInfo } from '../kernel/kernel.js';
import type { ObjectChange } from '../kernel/object-list.js';

/** WatchEvent is the appearance or removal of an object. */
export interface WatchEvent {
  readonly kind: ObjectChange;
  readonly info: ObjectInfo;
  /** Its number among all events of this run of the daemon, from 1. */
  readonly sequence: number;
}

/** EventLog remembers the last events, up to a limit. Watchers read it at their own pace, so no watcher has a queue. */
export class EventLog {
  readonly #ring: WatchEvent[] = [];
  readonly #listeners = new Set<() => void>();
  readonly #limit: number;
  #count = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The number of the last event, or 0 before the first. */
  get last(): number {
    return this.#count;
  }

  append(kind: WatchEvent['kind'], info: ObjectInfo): void {
    this.#count += 1;
    this.#ring[this.#count % this.#limit] = { kind, info, sequence: this.#count };
    for (const listener of this.#listeners) listener();
  }

  /** after returns the first event after a position, or null if there is none yet or it is not remembered any more. */
  after(sequence: number): WatchEvent | null {
    const event = this.#ring[(sequence + 1) % this.#limit];
    return event?.sequence === sequence + 1 ? event : null;
  }

  /** onAppend calls back at every event, until the function that it returns is called. */
  onAppend(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
