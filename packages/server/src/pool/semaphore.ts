import { wait } from '../base/wait.js';

interface Waiting {
  readonly owner: string;
  readonly enter: () => void;
}

/** Semaphore has a number of places, with a cap per owner and first-come, first-served waiting. */
export class Semaphore {
  readonly #waiting = new Set<Waiting>();
  readonly #taken = new Map<string, number>();
  #left: number;
  readonly #each: number;

  constructor(left: number, each: number) {
    this.#left = left;
    this.#each = each;
  }

  /** How many `take` wait. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * take takes a place for an owner. It waits until there is a free place and the owner is below its cap.
   *
   * @throws the signal's reason if it aborts before that, or has aborted.
   */
  async take(owner: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#hasRoom(owner)) {
      this.#add(owner, 1);
      return;
    }
    await wait(
      (enter) => {
        const entry = { owner, enter };
        this.#waiting.add(entry);
        return () => this.#waiting.delete(entry);
      },
      { signal },
    );
  }

  /** free returns a place of the owner, and passes it to the first waiting owner that may have it. */
  free(owner: string): void {
    this.#add(owner, -1);
    for (const next of this.#waiting) {
      if (!this.#hasRoom(next.owner)) continue;
      this.#add(next.owner, 1);
      next.enter();
      return;
    }
  }

  #hasRoom(owner: string): boolean {
    return this.#left > 0 && (this.#taken.get(owner) ?? 0) < this.#each;
  }

  #add(owner: string, count: number): void {
    this.#left -= count;
    const taken = (this.#taken.get(owner) ?? 0) + count;
    // Remembers only owners that have a place, because owners come and go.
    if (taken === 0) this.#taken.delete(owner);
    else this.#taken.set(owner, taken);
  }
}
