import type { HandleInfo } from './handle-info.js';

/**
 * WatchEvent is an event of a watch. A later release may add types: ignore an event whose type you do not know.
 *
 * - `present`: an object that existed when the watch began.
 * - `synced`: the list of objects is complete. It follows the last `present`. It is reported again, with `relisted`, each
 *   time that the client had to list the objects again. The list does not show objects that were added and removed
 *   while the connection was broken.
 * - `added`: an object that was added.
 * - `removed`: an object that is gone, with its last known info. Its id is no longer valid.
 */
export type WatchEvent =
  | { readonly type: 'present' | 'added' | 'removed'; readonly info: HandleInfo }
  | { readonly type: 'synced'; readonly relisted: boolean };

/** An object is known by its id or, if the daemon sees it as a file without id, by name and size. */
type Key = number | string;

/** WatchedObjects are the objects that exist according to the events that the reader of a watch got. */
export class WatchedObjects {
  readonly #objects = new Map<Key, HandleInfo>();
  #bootId = '';

  /** Returns the event of an object for the reader, and takes note of it. */
  event(type: 'present' | 'added' | 'removed', info: HandleInfo): WatchEvent {
    if (type === 'removed') this.#objects.delete(keyOf(info));
    else this.#objects.set(keyOf(info), info);
    return { type, info };
  }

  /** Returns the event that ends the first list. */
  synced(bootId: string): WatchEvent {
    this.#bootId = bootId;
    return { type: 'synced', relisted: false };
  }

  /** Yields the differences between the known objects and a new list as events, and the event that ends the list. */
  *relisted(listed: readonly HandleInfo[], bootId: string): Generator<WatchEvent, void, undefined> {
    // After another boot the same ids refer to other objects.
    const sameBoot = bootId === this.#bootId;
    const keys = new Set(sameBoot ? listed.map(keyOf) : []);
    for (const [key, info] of this.#objects) {
      if (!keys.has(key)) yield this.event('removed', { ...info, removed: true });
    }
    for (const info of listed) if (!this.#objects.has(keyOf(info))) yield this.event('added', info);
    this.#bootId = bootId;
    yield { type: 'synced', relisted: true };
  }
}

function keyOf({ id, name, size }: HandleInfo): Key {
  return id === 0 ? `${size}:${name}` : id;
}
