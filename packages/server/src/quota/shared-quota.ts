import type { Quota, Claim } from './quota.js';

interface Share {
  readonly claim: Claim;
  users: number;
}

/** SharedQuota counts a thing that a principal uses several times only once, by its name, until the last use ends. */
export class SharedQuota {
  readonly #quota: Quota;
  readonly #shares = new Map<string, Share>();

  constructor(quota: Quota) {
    this.#quota = quota;
  }

  /**
   * Takes a thing for a principal, unless it has it already.
   *
   * @throws ServiceError QUOTA_EXCEEDED if there is no room. Nothing is taken then.
   */
  take(principal: string, name: string, amount: number): Claim {
    const key = JSON.stringify([principal, name]);
    const share = this.#shares.get(key) ?? { claim: this.#quota.take(principal, amount), users: 0 };
    this.#shares.set(key, share);
    share.users += 1;
    let returned = false;
    return {
      [Symbol.dispose]: () => {
        if (returned) return;
        returned = true;
        share.users -= 1;
        if (share.users > 0) return;
        this.#shares.delete(key);
        share.claim[Symbol.dispose]();
      },
    };
  }
}
