/** Rate is how much of something may be used at once, and how much is added each second. */
export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

/** Budget is an amount that use reduces and time restores, up to its burst. */
export class Budget {
  readonly #rate: Rate;
  readonly #now: () => number;
  #left: number;
  #at: number;

  /** @param now - returns the time in milliseconds */
  constructor(rate: Rate, now: () => number) {
    this.#rate = rate;
    this.#now = now;
    this.#left = rate.burst;
    this.#at = now();
  }

  /** The amount that is left. It is negative if more was used than there was. */
  get left(): number {
    const now = this.#now();
    const added = ((now - this.#at) / 1_000) * this.#rate.perSecond;
    this.#at = now;
    this.#left = Math.min(this.#rate.burst, this.#left + added);
    return this.#left;
  }

  /** The amount that was used and is not restored yet. */
  get used(): number {
    return this.#rate.burst - this.left;
  }

  /** The part of the burst that is left. It is at most 1, and may be a little below 0. */
  get share(): number {
    return this.left / this.#rate.burst;
  }

  /** Uses a part. Returns whether that much was left; otherwise the budget is used up. */
  spend(amount = 1): boolean {
    const left = this.left - amount;
    // Never far below zero, so that it is restored within the time that its rate says.
    this.#left = Math.max(left, -amount);
    return left >= 0;
  }

  /** Gives a part back. */
  refund(amount = 1): void {
    this.#left = Math.min(this.#rate.burst, this.left + amount);
  }
}
