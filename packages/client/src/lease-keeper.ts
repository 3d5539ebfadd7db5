import { status } from '@grpc/grpc-js';
import { BtfError } from './btf-error.js';
import type { Clock } from './clock.js';
import type { Lease } from './lease.js';

/** LeaseCalls are the calls to the daemon that keeping leases takes. */
export interface LeaseCalls {
  /** Renews leases. Answers for each token what is left in milliseconds, or null where it is gone. */
  renew(tokens: readonly string[]): Promise<readonly (number | null)[]>;
  /** The daemon's present run. */
  daemonEpoch(): Promise<string>;
}

/** A third of the TTL: two more rounds can fail before a lease runs out. */
const ROUNDS_PER_TTL = 3;
/** However short the TTL, the daemon is not asked more often than this. */
const MIN_PERIOD_MS = 100;
/** Node's timers fire at once when given more than 24 days. */
const MAX_PERIOD_MS = 3_600_000;
/** A round that failed is repeated sooner: a daemon that restarts is back within seconds. */
const RETRY_MS = 1_000;

interface Entry {
  /** Weak, so that the lease of a handle which nobody can reach any more is left to expire. */
  readonly lease: WeakRef<Lease>;
  readonly period: number;
  expiresAt: number;
}

/**
 * LeaseKeeper renews all leases of a client together: one timer, which does not keep the process alive, and
 * one call for all at each third of the shortest TTL. A lease is lost when the daemon says so, or when it ran
 * out while the daemon could not be asked.
 */
export class LeaseKeeper {
  readonly #calls: LeaseCalls;
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();
  #dueAt = Infinity;
  #cancelTimer = (): void => {};

  constructor(calls: LeaseCalls, clock: Clock) {
    this.#calls = calls;
    this.#clock = clock;
  }

  /** Keeps a lease that was granted just now. */
  add(lease: Lease): void {
    const now = this.#clock.now();
    const third = lease.grantedTtl / ROUNDS_PER_TTL;
    const period = Math.min(Math.max(third, MIN_PERIOD_MS), MAX_PERIOD_MS);
    this.#entries.set(lease.token, {
      lease: new WeakRef(lease),
      period,
      expiresAt: now + lease.grantedTtl,
    });
    this.#wakeBy(now + period);
  }

  /** Lets go of a lease. */
  remove(lease: Lease): void {
    this.#entries.delete(lease.token);
    if (this.#entries.size === 0) this.#sleep();
  }

  /** Gives a lease up as lost, unless it was let go of before: who closes a handle loses nothing. */
  lose(lease: Lease, error: BtfError): void {
    if (this.#entries.delete(lease.token)) lease.lose(error);
  }

  /** Renews one lease now. Answers what is left of it in milliseconds, 0 where it is gone. */
  async renew(lease: Lease): Promise<number> {
    await this.#renew([lease]);
    const entry = this.#entries.get(lease.token);
    return entry === undefined ? 0 : Math.round(entry.expiresAt - this.#clock.now());
  }

  /** Ends all renewal. Answers the tokens of the leases that were kept. */
  stop(): string[] {
    const tokens = this.#living().map(({ token }) => token);
    this.#entries.clear();
    this.#sleep();
    return tokens;
  }

  #wakeBy(dueAt: number): void {
    if (dueAt >= this.#dueAt) return;
    this.#cancelTimer();
    this.#dueAt = dueAt;
    this.#cancelTimer = this.#clock.setTimer(() => void this.#round(), dueAt - this.#clock.now());
  }

  #sleep(): void {
    this.#cancelTimer();
    this.#dueAt = Infinity;
  }

  async #round(): Promise<void> {
    this.#dueAt = Infinity;
    const living = this.#living();
    let pause = Infinity;
    try {
      await this.#renew(living);
    } catch (error) {
      this.#expire(living, BtfError.from(error));
      pause = RETRY_MS;
    }
    for (const { period } of this.#entries.values()) pause = Math.min(pause, period);
    if (this.#entries.size > 0) this.#wakeBy(this.#clock.now() + pause);
  }

  #living(): Lease[] {
    const living: Lease[] = [];
    for (const [token, { lease }] of this.#entries) {
      const leased = lease.deref();
      if (leased === undefined) this.#entries.delete(token);
      else living.push(leased);
    }
    return living;
  }

  async #renew(leases: readonly Lease[]): Promise<void> {
    if (leases.length === 0) return;
    const askedAt = this.#clock.now();
    const remaining = await this.#calls.renew(leases.map(({ token }) => token));
    const gone: Lease[] = [];
    for (const [index, lease] of leases.entries()) {
      const left = remaining[index] ?? null;
      const entry = this.#entries.get(lease.token);
      if (entry === undefined) continue;
      if (left === null) gone.push(lease);
      else entry.expiresAt = askedAt + left;
    }
    if (gone.length === 0) return;
    const epoch = await this.#calls.daemonEpoch();
    for (const lease of gone) this.lose(lease, goneError(lease, epoch));
  }

  #expire(leases: readonly Lease[], cause: BtfError): void {
    const now = this.#clock.now();
    for (const lease of leases) {
      const entry = this.#entries.get(lease.token);
      if (entry !== undefined && entry.expiresAt <= now) this.lose(lease, expiredError(cause));
    }
  }
}

function goneError(lease: Lease, epoch: string): BtfError {
  const restarted = lease.daemonEpoch !== epoch;
  return new BtfError({
    code: status.NOT_FOUND,
    reason: restarted ? 'HANDLE_OF_EARLIER_DAEMON' : 'HANDLE_NOT_FOUND',
    message: restarted
      ? 'the daemon was restarted, and its handles are gone'
      : 'the daemon has let go of the handle',
    metadata: restarted ? { daemon_epoch: epoch } : {},
  });
}

function expiredError(cause: BtfError): BtfError {
  return new BtfError({
    code: status.UNAVAILABLE,
    reason: 'LEASE_EXPIRED',
    message: 'the lease ran out while the daemon could not be reached',
    cause,
  });
}
