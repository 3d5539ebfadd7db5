import { systemClock, type Clock } from './clock.js';
import { LinkedList, type Link } from './linked-list.js';

interface Waiting<T> {
  readonly entry: T;
  readonly addedAt: number;
}

/** Timeout is an entry that waits for its time. */
export type Timeout<T> = Link<Waiting<T>>;

/**
 * Timeouts calls back for each entry that is still there after a time, which is the same for all. It has one timer for all
 * entries: thousands of calls begin and end in the time that each of them may take, and a timer for each costs ten times
 * as much as an entry.
 */
export class Timeouts<T> {
  readonly #ms: number;
  readonly #onDue: (entry: T) => void;
  readonly #clock: Clock;
  readonly #entries = new LinkedList<Waiting<T>>();
  /** Whether the timer runs, or calls back now. */
  #isWaiting = false;

  constructor(ms: number, onDue: (entry: T) => void, clock = systemClock) {
    this.#ms = ms;
    this.#onDue = onDue;
    this.#clock = clock;
  }

  /** The number of entries. */
  get size(): number {
    return this.#entries.size;
  }

  /** Adds an entry. */
  add(entry: T): Timeout<T> {
    const timeout = this.#entries.add({ entry, addedAt: this.#clock.now() });
    if (!this.#isWaiting) this.#wait(this.#ms);
    return timeout;
  }

  /** Removes an entry, if it is there. The timer stays: further entries are likely to come. */
  delete(timeout: Timeout<T>): void {
    this.#entries.remove(timeout);
  }

  #wait(ms: number): void {
    this.#isWaiting = true;
    this.#clock.after(ms, () => this.#look());
  }

  #look(): void {
    for (;;) {
      const { first } = this.#entries;
      if (first === null) {
        this.#isWaiting = false;
        return;
      }
      const { entry, addedAt } = first.value;
      const left = addedAt + this.#ms - this.#clock.now();
      if (left > 0) {
        this.#wait(left);
        return;
      }
      this.#entries.remove(first);
      this.#onDue(entry);
    }
  }
}
