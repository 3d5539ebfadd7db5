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

/** Amounts count what each principal has of a quota. */
class Amounts {
  readonly #of = new Map<string, number>();
  total = 0;

  of(principal: string): number {
    return this.#of.get(principal) ?? 0;
  }

  add(principal: string, amount: number): void {
    this.total += amount;
    const own = this.of(principal) + amount;
    // Principals come and go, so those that have nothing are forgotten.
    if (own === 0) this.#of.delete(principal);
    else this.#of.set(principal, own);
  }
}

/** A class, because an object literal with this method takes four times the memory, and each handle has a claim. */
class AmountClaim implements Claim {
  readonly #amounts: Amounts;
  readonly #principal: string;
  #amount: number;

  constructor(amounts: Amounts, principal: string, amount: number) {
    this.#amounts = amounts;
    this.#principal = principal;
    this.#amount = amount;
    amounts.add(principal, amount);
  }

  [Symbol.dispose](): void {
    if (this.#amount === 0) return;
    this.#amounts.add(this.#principal, -this.#amount);
    this.#amount = 0;
  }
}

/** Quota counts what each principal has at one time, and refuses more than its limits. */
export class Quota {
  readonly #kind: QuotaKind;
  readonly #limits: QuotaLimits;
  readonly #amounts = new Amounts();

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
    return this.#amounts.total;
  }

  /** Returns how much one principal has. */
  usedBy(principal: string): number {
    return this.#amounts.of(principal);
  }

  /**
   * Takes a part of the quota for a principal.
   *
   * @throws ServiceError QUOTA_EXCEEDED if there is no room. Nothing is taken then.
   */
  take(principal: string, amount = 1): Claim {
    this.check(principal, amount);
    return new AmountClaim(this.#amounts, principal, amount);
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
    return this.inUse + amount > this.#limits.all
      ? this.#exceeded('daemon', this.inUse, amount, this.#limits.all)
      : null;
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
