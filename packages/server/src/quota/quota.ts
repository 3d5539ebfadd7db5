import { ErrorReason } from '@btfd/api';
import { ServiceError } from '../error/service-error.js';

/** QuotaLimits bound what is had at one time. */
export interface QuotaLimits {
  /** By one principal. */
  readonly each: number;
  /** By all together. */
  readonly all: number;
}

/** QuotaKind says what a quota counts. */
export interface QuotaKind {
  /** Its name in errors and metrics: `handles`. */
  readonly name: string;
  /** What it counts, in words: `open handles`. */
  readonly what: string;
  /** After how long it is worth trying again; null where only giving something back helps. */
  readonly retryMs: number | null;
}

/** Taken is what was taken of a quota. Disposing of it gives it back, once. */
export type Taken = Disposable;

/** Quota counts what each principal has at one time, and refuses what would be more than its limits. */
export class Quota {
  readonly #kind: QuotaKind;
  readonly #limits: QuotaLimits;
  readonly #used = new Map<string, number>();
  #total = 0;

  constructor(kind: QuotaKind, limits: QuotaLimits) {
    this.#kind = kind;
    this.#limits = limits;
  }

  /** What all principals have. */
  get inUse(): number {
    return this.#total;
  }

  /** What one principal has. */
  usedBy(principal: string): number {
    return this.#used.get(principal) ?? 0;
  }

  /**
   * Takes some of the quota for a principal.
   *
   * @throws as `check` does, and takes nothing then.
   */
  take(principal: string, amount = 1): Taken {
    this.check(principal, amount);
    this.#add(principal, amount);
    let given = false;
    return {
      [Symbol.dispose]: () => {
        if (given) return;
        given = true;
        this.#add(principal, -amount);
      },
    };
  }

  /**
   * Finds out whether there is room, without taking it.
   *
   * @throws ServiceError with QUOTA_EXCEEDED.
   */
  check(principal: string, amount = 1): void {
    const refusal = this.refusal(principal, amount);
    if (refusal !== null) throw refusal;
  }

  /** What `check` throws; null if there is room. */
  refusal(principal: string, amount = 1): ServiceError | null {
    const own = this.usedBy(principal);
    if (own + amount > this.#limits.each) {
      return this.#exceeded(`principal:${principal}`, own, amount, this.#limits.each);
    }
    return this.#total + amount > this.#limits.all
      ? this.#exceeded('daemon', this.#total, amount, this.#limits.all)
      : null;
  }

  #add(principal: string, amount: number): void {
    this.#total += amount;
    const own = this.usedBy(principal) + amount;
    // Principals come and go: only those that have something are remembered.
    if (own === 0) this.#used.delete(principal);
    else this.#used.set(principal, own);
  }

  #exceeded(subject: string, used: number, amount: number, limit: number): ServiceError {
    const { name, what, retryMs } = this.#kind;
    const whose = subject === 'daemon' ? 'all callers together have' : 'the caller has';
    const more = amount === 1 ? '' : `; ${amount} more are asked for`;
    const message = `${whose} ${used} ${what} of at most ${limit}${more}`;
    return new ServiceError(ErrorReason.QUOTA_EXCEEDED, message, {
      metadata: { quota: name, limit: String(limit) },
      quota: { subject, description: message },
      ...(retryMs === null ? {} : { retryMs }),
    });
  }
}
