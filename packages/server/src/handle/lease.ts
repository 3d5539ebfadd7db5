import type { Clock } from '../base/clock.js';
import { DueQueue, type DueEntry } from '../base/due-queue.js';

/** Leases are the leases of all handles. They have one timer: ten thousand leases with a timer each take 4 MB more. */
export class Leases<T> {
  readonly #clock: Clock;
  readonly #due: DueQueue<Lease<T>>;

  /** @param onExpiry is called with the handle whose lease has expired */
  constructor(clock: Clock, onExpiry: (handle: T) => void) {
    this.#clock = clock;
    this.#due = new DueQueue(clock, (lease) => {
      const left = lease.remainingMs;
      // It was renewed, or a call uses it. Renewing does not move it in the queue.
      if (left > 0) this.#due.add(lease, left);
      else onExpiry(lease.handle);
    });
  }

  /** Grants a lease on a handle that a number of calls use now. */
  grant(handle: T, ttlMs: number, uses: number): Lease<T> {
    const lease = new Lease(handle, ttlMs, uses, this.#clock);
    this.#due.add(lease, ttlMs);
    return lease;
  }

  /** Ends a lease without expiry. */
  end(lease: Lease<T>): void {
    this.#due.delete(lease);
  }
}

/** Lease keeps a handle open for a time after its last use. All times are in milliseconds. */
export class Lease<T> implements DueEntry {
  dueAt = 0;
  place = -1;
  readonly handle: T;
  /** The TTL granted. */
  readonly ttlMs: number;
  /** The number of calls that use the handle now. */
  #uses: number;
  readonly #clock: Clock;
  #expiresAt: number;

  constructor(handle: T, ttlMs: number, uses: number, clock: Clock) {
    this.handle = handle;
    this.ttlMs = ttlMs;
    this.#uses = uses;
    this.#clock = clock;
    this.#expiresAt = clock.now() + ttlMs;
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
}
