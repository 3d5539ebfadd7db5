import type { Quota, Taken } from './quota.js';

interface Share {
  readonly taken: Taken;
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
  take(principal: string, name: string, amount: number): Taken {
    const key = JSON.stringify([principal, name]);
    const share = this.#shares.get(key) ?? { taken: this.#quota.take(principal, amount), users: 0 };
    this.#shares.set(key, share);
    share.users += 1;
    let given = false;
    return {
      [Symbol.dispose]: () => {
        if (given) return;
        given = true;
        share.users -= 1;
        if (share.users > 0) return;
        this.#shares.delete(key);
        share.taken[Symbol.dispose]();
      },
    };
  }
}
