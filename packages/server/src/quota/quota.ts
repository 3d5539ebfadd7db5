import { ErrorReason } from '@btfd/api';
import { ServiceError } from '../error/service-error.js';

/** QuotaLimits are the maximum amounts that principals may have at one time. */
export interface QuotaLimits {
  /** One principal. */
  readonly each: number;
  /** All principals together. */
  readonly all: number;
}

/** QuotaKind describes a quota. */
export interface QuotaKind {
  /** Its name in errors and metrics: `handles`. */
  readonly name: string;
  /** The things that it counts, in words: `open handles`. */
  readonly what: string;
  /** When to try again, in milliseconds from now; null if only giving something back helps. */
  readonly retryMs: number | null;
}

/** Claim is a part of a quota that a caller has taken. Disposing of it gives it back, once. */
export type Claim = Disposable;

/** Quota counts what each principal has at one time, and refuses more than its limits. */
export class Quota {
  readonly #kind: QuotaKind;
  readonly #limits: QuotaLimits;
  readonly #used = new Map<string, number>();
  #total = 0;

  constructor(kind: QuotaKind, limits: QuotaLimits) {
    this.#kind = kind;
    this.#limits = limits;
  }

  /** Its name in errors and metrics. */
  get name(): string {
    return this.#kind.name;
  }

  /** The most that all principals together may have. */
  get limit(): number {
    return this.#limits.all;
  }

  /** The sum that all principals have. */
  get inUse(): number {
    return this.#total;
  }

  /** Returns how much one principal has. */
  usedBy(principal: string): number {
    return this.#used.get(principal) ?? 0;
  }

  /**
   * Takes a part of the quota for a principal.
   *
   * @throws ServiceError QUOTA_EXCEEDED if there is no room. Nothing is taken then.
   */
  take(principal: string, amount = 1): Claim {
    this.check(principal, amount);
    this.#add(principal, amount);
    let returned = false;
    return {
      [Symbol.dispose]: () => {
        if (returned) return;
        returned = true;
        this.#add(principal, -amount);
      },
    };
  }

  /**
   * Checks that there is room, without taking it.
   *
   * @throws ServiceError QUOTA_EXCEEDED if there is none.
   */
  check(principal: string, amount = 1): void {
    const refusal = this.refusal(principal, amount);
    if (refusal !== null) throw refusal;
  }

  /** Returns the error that `check` throws; null if there is room. */
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
    // Principals come and go, so those that have nothing are forgotten.
    if (own === 0) this.#used.delete(principal);
    else this.#used.set(principal, own);
  }

  #exceeded(subject: string, used: number, amount: number, limit: number): ServiceError {
    const { name, what, retryMs } = this.#kind;
    const owner = subject === 'daemon' ? 'all callers together have' : 'the caller has';
    const more = amount === 1 ? '' : `, and this call asks for ${amount} more`;
    const message = `${owner} ${used} of at most ${limit} ${what}${more}`;
    return new ServiceError(ErrorReason.QUOTA_EXCEEDED, message, {
      metadata: { quota: name, limit: String(limit) },
      quota: { subject, description: message },
      ...(retryMs === null ? {} : { retryMs }),
    });
  }
}
