import { errorOf } from './error-message.js';
import type { FromWorker } from './protocol.js';

/** Run is the main thread's side of a job in a worker. The caller requests one item at a time. */
export class Run<Of> {
  #waiting: { resolve(item: Of | null): void; reject(error: unknown): void } | null = null;
  #failure: { readonly error: unknown } | null = null;

  /** next waits for the next item. It returns null at the end of the job. */
  async next(): Promise<Of | null> {
    return new Promise((resolve, reject) => {
      if (this.#failure === null) this.#waiting = { resolve, reject };
      else reject(this.#failure.error);
    });
  }

  /** receive handles a message of the worker. It returns whether the job has ended. */
  receive(message: FromWorker<Of>): boolean {
    const waiting = this.#waiting;
    this.#waiting = null;
    switch (message.kind) {
      case 'item':
        waiting?.resolve(message.item);
        return false;
      case 'end':
        waiting?.resolve(null);
        return true;
      case 'error':
        waiting?.reject(errorOf(message.error));
        return true;
    }
  }

  /** fail makes the pending or the next call of `next` fail. */
  fail(error: unknown): void {
    this.#failure = { error };
    this.#waiting?.reject(error);
    this.#waiting = null;
  }
}

/**
 * onlyItem returns the item of a job that has one.
 *
 * @throws Error if the job ends without an item.
 */
export async function onlyItem<Item>(items: AsyncIterable<Item>): Promise<Item> {
  for await (const item of items) return item;
  throw new Error('the job ended without an item');
}
