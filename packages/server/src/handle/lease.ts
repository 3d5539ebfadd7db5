import type { Clock, Timer } from '../base/clock.js';

/** Lease lets a handle live for a time after its last use. Times are milliseconds. */
export class Lease {
  /** Uses that go on already. */
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

  /** What is left; all of it while a call uses the handle. */
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

  /** Ends a use, which renews. */
  resume(): void {
    this.#uses -= 1;
    this.renew();
  }

  /** Ends the lease without expiry. */
  end(): void {
    this.#timer.cancel();
  }

  /** One timer a lease, set anew when it fires early, so that renewing costs nothing. */
  #wait(ms: number): Timer {
    return this.#clock.after(ms, () => {
      const left = this.remainingMs;
      if (left > 0) this.#timer = this.#wait(left);
      else this.#onExpiry();
    });
  }
}
