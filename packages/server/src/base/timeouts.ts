import { systemClock, type Clock } from './clock.js';

/**
 * Timeouts calls back for each entry that is still there after a time, which is the same for all. It has one timer for all
 * entries: thousands of calls begin and end in the time that each of them may take, and a timer for each costs ten times
 * as much as an entry.
 */
export class Timeouts<T> {
  readonly #ms: number;
  readonly #onDue: (entry: T) => void;
  readonly #clock: Clock;
  /** When each entry was added, in this order. */
  readonly #entries = new Map<T, number>();
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

  /** Adds an entry. One that is there already keeps its time. */
  add(entry: T): void {
    if (this.#entries.has(entry)) return;
    this.#entries.set(entry, this.#clock.now());
    if (!this.#isWaiting) this.#wait(this.#ms);
  }

  /** Removes an entry, if it is there. The timer stays: further entries are likely to come. */
  delete(entry: T): void {
    this.#entries.delete(entry);
  }

  #wait(ms: number): void {
    this.#isWaiting = true;
    this.#clock.after(ms, () => this.#look());
  }

  #look(): void {
    for (;;) {
      const [first] = this.#entries;
      if (first === undefined) {
        this.#isWaiting = false;
        return;
      }
      const [entry, addedAt] = first;
      const left = addedAt + this.#ms - this.#clock.now();
      if (left > 0) {
        this.#wait(left);
        return;
      }
      this.#entries.delete(entry);
      this.#onDue(entry);
    }
  }
}
