import type { BtfClient, WatchEvent } from '@btfd/client';
import { until } from './until.js';

/** FollowedWatch is a watch that keeps its events. */
export class FollowedWatch {
  readonly events: WatchEvent[] = [];
  readonly #abort = new AbortController();
  #ended: Promise<void> = Promise.resolve();

  static start(client: BtfClient): FollowedWatch {
    const self = new FollowedWatch();
    self.#ended = self.#follow(client);
    self.#ended.catch(() => {});
    return self;
  }

  /** Returns the types of the events about an id. */
  of(id: number): string[] {
    return this.events.flatMap((event) => ('info' in event && event.info.id === id ? event.type : []));
  }

  /** Waits until it has reported this many complete lists. */
  async synced(times = 1): Promise<void> {
    await until(
      'the watch is synced',
      () => this.events.filter(({ type }) => type === 'synced').length === times,
    );
  }

  /** Ends the watch. @throws the error with which it ended before, if it did. */
  async stop(): Promise<void> {
    const reason = new Error('stopped');
    this.#abort.abort(reason);
    await this.#ended.catch((error: unknown) => {
      if (error !== reason) throw error;
    });
  }

  async #follow(client: BtfClient): Promise<void> {
    for await (const event of client.watchHandles({ signal: this.#abort.signal })) this.events.push(event);
  }
}
