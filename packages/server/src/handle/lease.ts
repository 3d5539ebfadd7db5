import type { Clock, Timer } from '../base/clock.js';

/** Lease keeps a handle open for a time after its last use. All times are in milliseconds. */
export class Lease {
  /** The number of calls that use the handle now. */
  #uses: number;
  readonly #clock: Clock;
  readonly #onExpiry: () => void;
  #expiresAt: number;
  #timer: Timer;

  constructor(
    /** The TTL granted. */
    readonly ttlMs: number,
    uses: number,
    clock: Clock,
    onExpiry: () => void,
  ) {
    this.#uses = uses;
    this.#clock = clock;
    this.#onExpiry = onExpiry;
    this.#expiresAt = clock.now() + ttlMs;
    this.#timer = this.#wait(ttlMs);
  }

  /** The time that is left: the whole TTL while a call uses the handle. */
  get remainingMs(): number {
    return this.#uses > 0 ? this.ttlMs : Math.max(0, this.#expiresAt - this.#clock.now());
  }

  /** Resets the lease to its full TTL. */
  renew(): void {
    this.#expiresAt = this.#clock.now() + this.ttlMs;
  }

  /** Keeps the lease from expiring until the matching `resume`. */
  suspend(): void {
    this.#uses += 1;
  }

  /** Ends a use, which renews the lease. */
  resume(): void {
    this.#uses -= 1;
    this.renew();
  }

  /** Ends the lease without expiry. */
  end(): void {
    this.#timer.cancel();
  }

  /** Sets the only timer of the lease. If it fires after a renewal it is set again, so a renewal costs nothing. */
  #wait(ms: number): Timer {
    return this.#clock.after(ms, () => {
      const left = this.remainingMs;
      if (left > 0) this.#timer = this.#wait(left);
      else this.#onExpiry();
    });
  }
}
