import type { Quota, Taken } from './quota.js';

interface Share {
  readonly taken: Taken;
  users: number;
}

/** SharedQuota counts what a principal has several times, by its name, once: for as long as any of them lasts. */
export class SharedQuota {
  readonly #quota: Quota;
  readonly #shares = new Map<string, Share>();

  constructor(quota: Quota) {
    this.#quota = quota;
  }

  /**
   * Takes something for a principal, if it has not got it already.
   *
   * @throws ServiceError with QUOTA_EXCEEDED, and takes nothing then.
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
