import { wait } from '../base/wait.js';

interface Waiting {
  readonly owner: string;
  readonly come: () => void;
}

/** Places are a number of places, of which each owner has a part at most, and for which who comes later waits in turn. */
export class Places {
  private readonly waiting = new Set<Waiting>();
  private readonly taken = new Map<string, number>();

  constructor(
    private left: number,
    private readonly each: number,
  ) {}

  /**
   * Takes a place, once there is one that the owner may have.
   *
   * @throws the signal's reason if it aborts before.
   */
  async take(owner: string, signal: AbortSignal): Promise<void> {
    if (this.hasRoom(owner)) {
      this.add(owner, 1);
      return;
    }
    await wait(
      (come) => {
        const entry = { owner, come };
        this.waiting.add(entry);
        return () => this.waiting.delete(entry);
      },
      { signal },
    );
  }

  /** Hands the owner's place on. */
  free(owner: string): void {
    this.add(owner, -1);
    for (const next of this.waiting) {
      if (!this.hasRoom(next.owner)) continue;
      this.add(next.owner, 1);
      next.come();
      return;
    }
  }

  private hasRoom(owner: string): boolean {
    return this.left > 0 && (this.taken.get(owner) ?? 0) < this.each;
  }

  private add(owner: string, count: number): void {
    this.left -= count;
    const taken = (this.taken.get(owner) ?? 0) + count;
    // Owners come and go: only those that have a place are remembered.
    if (taken === 0) this.taken.delete(owner);
    else this.taken.set(owner, taken);
  }
}
