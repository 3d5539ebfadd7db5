import { status } from '@grpc/grpc-js';
import type { Clock } from '../base/clock.js';
import type { CallLimits } from '../call/connection.js';
import { BtfError, clientError } from '../error/btf-error.js';
import type { Lease } from './lease.js';

/** LeaseCalls are the calls to the daemon that a {@link LeaseKeeper} makes. */
export interface LeaseCalls {
  /** Renews leases. Returns the rest of each in milliseconds, or null if it is gone. */
  renew(tokens: readonly string[], limits: CallLimits): Promise<readonly (number | null)[]>;
  /** Returns the epoch of the daemon's current run. */
  daemonEpoch(limits: CallLimits): Promise<string>;
}

/** Renewals come at a third of the TTL, so that two rounds can fail before a lease expires. */
const ROUNDS_PER_TTL = 3;
/** The daemon is not asked more often than this, however short the TTL is. */
const MIN_PERIOD_MS = 100;
/** Node's timers fire at once if they are set to more than 24 days. */
const MAX_PERIOD_MS = 3_600_000;
/** A failed round is repeated sooner, because a daemon that restarts is back within seconds. */
const RETRY_MS = 1_000;

interface Entry {
  /** Weak, so that the lease of a handle that has become garbage expires. */
  readonly lease: WeakRef<Lease>;
  readonly period: number;
  expiresAt: number;
}

/**
 * LeaseKeeper renews all leases of a client together, with one timer, which does not keep the process alive, and one
 * call at each third of the shortest TTL. A lease is lost when the daemon says so, or when it has expired by the client's
 * own clock, even while a call is in progress.
 */
export class LeaseKeeper {
  readonly #calls: LeaseCalls;
  readonly #clock: Clock;
  /** The longest time of one call, in milliseconds. */
  readonly #timeout: number;
  readonly #entries = new Map<string, Entry>();
  /** When the next round is due. */
  #roundAt = Infinity;
  /** When the timer fires. */
  #wakeAt = Infinity;
  #cancelTimer = (): void => {};
  /** The error of the last round; null if it succeeded. */
  #failure: BtfError | null = null;

  constructor(calls: LeaseCalls, clock: Clock, timeout: number) {
    this.#calls = calls;
    this.#clock = clock;
    this.#timeout = timeout;
  }

  /** Keeps a lease. */
  add(lease: Lease): void {
    const now = this.#clock.now();
    const third = lease.grantedTtl / ROUNDS_PER_TTL;
    const period = Math.min(Math.max(third, MIN_PERIOD_MS), MAX_PERIOD_MS);
    this.#entries.set(lease.token, {
      lease: new WeakRef(lease),
      period,
      // A load can take longer than the TTL, which only begins at its end. The first round finds out what remains.
      expiresAt: Math.max(expiry(lease.askedAt, lease.grantedTtl), now + period),
    });
    this.#roundBy(Math.max(now, lease.askedAt + period));
  }

  /** Stops keeping a lease. */
  remove(lease: Lease): void {
    this.#entries.delete(lease.token);
    if (this.#entries.size === 0) this.#sleep();
  }

  /** Marks a lease as lost, unless it is not kept any more: a handle that was closed is not lost. */
  lose(lease: Lease, error: BtfError): void {
    if (!this.#entries.has(lease.token)) return;
    this.remove(lease);
    lease.lose(error);
  }

  /** Renews one lease now. Returns the rest of it in milliseconds, 0 if it is gone. */
  async renew(lease: Lease, limits: CallLimits): Promise<number> {
    await this.#renew([lease], limits);
    const entry = this.#entries.get(lease.token);
    return entry === undefined ? 0 : Math.round(entry.expiresAt - this.#clock.now());
  }

  /** Marks the leases of other runs of the daemon as lost. */
  loseOthers(epoch: string): void {
    for (const lease of this.#living()) {
      if (lease.daemonEpoch !== epoch) this.lose(lease, goneError(lease, epoch));
    }
  }

  /** Renews all leases now, because something happened to the daemon. */
  hurry(): void {
    if (this.#entries.size > 0) this.#roundBy(this.#clock.now());
  }

  /** Stops keeping all leases. Returns their tokens. */
  stop(): string[] {
    const tokens = this.#living().map(({ token }) => token);
    this.#entries.clear();
    this.#sleep();
    return tokens;
  }

  #roundBy(at: number): void {
    this.#roundAt = Math.min(this.#roundAt, at);
    this.#wakeBy(this.#roundAt);
  }

  #wakeBy(at: number): void {
    if (at >= this.#wakeAt) return;
    this.#cancelTimer();
    this.#wakeAt = at;
    const ms = Math.min(at - this.#clock.now(), MAX_PERIOD_MS);
    this.#cancelTimer = this.#clock.setTimer(() => this.#wake(), ms);
  }

  #wake(): void {
    this.#wakeAt = Infinity;
    const now = this.#clock.now();
    this.#expire(now);
    if (this.#roundAt <= now) {
      this.#roundAt = Infinity;
      void this.#round();
    }
    let soonest = this.#roundAt;
    for (const { expiresAt } of this.#entries.values()) soonest = Math.min(soonest, expiresAt);
    if (soonest !== Infinity) this.#wakeBy(soonest);
  }

  #sleep(): void {
    this.#cancelTimer();
    this.#wakeAt = Infinity;
    this.#roundAt = Infinity;
  }

  async #round(): Promise<void> {
    let pause = this.#shortestPeriod();
    try {
      // A call that hangs must not use up the time of the next rounds.
      await this.#renew(this.#living(), { timeout: Math.min(this.#timeout, pause) });
      this.#failure = null;
    } catch (error) {
      this.#failure = BtfError.from(error);
      pause = RETRY_MS;
    }
    if (this.#entries.size > 0) {
      this.#roundBy(this.#clock.now() + Math.min(pause, this.#shortestPeriod()));
    }
  }

  #shortestPeriod(): number {
    let shortest = Infinity;
    for (const { period } of this.#entries.values()) shortest = Math.min(shortest, period);
    return shortest;
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

  async #renew(leases: readonly Lease[], limits: CallLimits): Promise<void> {
    if (leases.length === 0) return;
    const askedAt = this.#clock.now();
    const remaining = await this.#calls.renew(
      leases.map(({ token }) => token),
      limits,
    );
    const gone: Lease[] = [];
    for (const [index, lease] of leases.entries()) {
      const left = remaining[index] ?? null;
      const entry = this.#entries.get(lease.token);
      if (entry === undefined) continue;
      if (left === null) gone.push(lease);
      else entry.expiresAt = Math.max(entry.expiresAt, expiry(askedAt, left));
    }
    if (gone.length === 0) return;
    const epoch = await this.#calls.daemonEpoch(limits);
    for (const lease of gone) this.lose(lease, goneError(lease, epoch));
  }

  #expire(now: number): void {
    for (const [token, { lease, expiresAt }] of this.#entries) {
      if (expiresAt > now) continue;
      const leased = lease.deref();
      if (leased === undefined) this.#entries.delete(token);
      else this.lose(leased, expiredError(this.#failure));
    }
  }
}

/** Returns when a lease expires, counted from its request, since the daemon did not grant it earlier. */
function expiry(askedAt: number, ttl: number): number {
  // The rounds cannot keep a shorter lease, so the daemon decides when that is lost.
  return askedAt + Math.max(ttl, ROUNDS_PER_TTL * MIN_PERIOD_MS);
}

function goneError(lease: Lease, epoch: string): BtfError {
  const restarted = lease.daemonEpoch !== epoch;
  return new BtfError({
    code: status.NOT_FOUND,
    reason: restarted ? 'HANDLE_OF_EARLIER_DAEMON' : 'HANDLE_NOT_FOUND',
    message: restarted
      ? 'the handle is lost: the daemon was restarted'
      : 'the handle is lost: the daemon has closed it',
    metadata: restarted ? { daemon_epoch: epoch } : {},
  });
}

function expiredError(cause: BtfError | null): BtfError {
  return clientError('LEASE_EXPIRED', 'the lease expired while the daemon could not be reached', { cause });
}
