import { errorOf } from './error-message.js';
import type { FromWorker } from './protocol.js';

/** Run is a job in a worker, as the main thread sees it. One item is asked for at a time. */
export class Run<Of> {
  private waiting: { resolve(item: Of | null): void; reject(error: unknown): void } | null = null;
  private failure: { readonly error: unknown } | null = null;

  /** The next item once it comes; null at the job's end. */
  async next(): Promise<Of | null> {
    return new Promise((resolve, reject) => {
      if (this.failure === null) this.waiting = { resolve, reject };
      else reject(this.failure.error);
    });
  }

  /** Takes what the worker says. True where nothing more will come. */
  receive(message: FromWorker<Of>): boolean {
    const { waiting } = this;
    this.waiting = null;
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

  /** Ends it with an error, now or when its next item is asked for. */
  fail(error: unknown): void {
    this.failure = { error };
    this.waiting?.reject(error);
    this.waiting = null;
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
