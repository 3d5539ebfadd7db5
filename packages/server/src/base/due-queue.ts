import type { Clock, Timer } from './clock.js';

/** DueEntry is an entry of a {@link DueQueue}. Only the queue writes to it. */
export interface DueEntry {
  /** When it is due, by the clock. */
  dueAt: number;
  /** Its index in the queue; negative while it is not there. */
  place: number;
}

/**
 * DueQueue calls back for each entry when its own time has passed. It is a binary heap with one timer for all entries: a
 * timer for each costs four times the memory of an entry, and thousands of entries can wait for hours.
 */
export class DueQueue<T extends DueEntry> {
  readonly #clock: Clock;
  readonly #onDue: (entry: T) => void;
  /** No entry is due before its parent, the one at (index - 1) >> 1. */
  readonly #heap: T[] = [];
  #timer: Timer | null = null;
  /** When the timer calls back; Infinity if there is none. */
  #timerAt = Infinity;

  constructor(clock: Clock, onDue: (entry: T) => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  /** Adds an entry that is not there, which is due in `ms` milliseconds. */
  add(entry: T, ms: number): void {
    entry.dueAt = this.#clock.now() + ms;
    this.#heap.push(entry);
    this.#rise(entry, this.#heap.length - 1);
    if (entry.dueAt < this.#timerAt) this.#wait(entry.dueAt, ms);
  }

  /** Removes an entry, if it is there. */
  delete(entry: T): void {
    if (entry.place < 0) return;
    this.#remove(entry);
    if (this.#heap.length === 0) this.#stop();
  }

  #remove(entry: T): void {
    const { place } = entry;
    entry.place = -1;
    const last = this.#heap.pop();
    if (last === undefined || last === entry) return;
    this.#sink(last, place);
    this.#rise(last, last.place);
  }

  #wait(at: number, ms: number): void {
    this.#stop();
    this.#timerAt = at;
    this.#timer = this.#clock.after(ms, () => this.#look());
  }

  #stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#timerAt = Infinity;
  }

  #look(): void {
    // Entries that are added meanwhile wait for the next look.
    const now = this.#clock.now();
    this.#timerAt = -Infinity;
    try {
      for (let [first] = this.#heap; first !== undefined && first.dueAt <= now; [first] = this.#heap) {
        this.#remove(first);
        this.#onDue(first);
      }
    } finally {
      this.#stop();
      const [next] = this.#heap;
      if (next !== undefined) this.#wait(next.dueAt, Math.max(0, next.dueAt - this.#clock.now()));
    }
  }

  /** Puts an entry at a place, or nearer to the first if it is due before the entries there. */
  #rise(entry: T, from: number): void {
    let place = from;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const other = this.#heap[above];
      if (other === undefined || other.dueAt <= entry.dueAt) break;
      this.#put(other, place);
      place = above;
    }
    this.#put(entry, place);
  }

  /** Puts an entry at a place, or farther from the first if it is due after the entries there. */
  #sink(entry: T, from: number): void {
    let place = from;
    for (;;) {
      const [left, right] = [this.#heap[2 * place + 1], this.#heap[2 * place + 2]];
      const next = right !== undefined && left !== undefined && right.dueAt < left.dueAt ? right : left;
      if (next === undefined || next.dueAt >= entry.dueAt) break;
      const below = next.place;
      this.#put(next, place);
      place = below;
    }
    this.#put(entry, place);
  }

  #put(entry: T, place: number): void {
    this.#heap[place] = entry;
    entry.place = place;
  }
}
