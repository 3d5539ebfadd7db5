import type { HandleInfo } from './handle-info.js';
import type { WatchEvent } from './watch-event.js';

/** Without an id an object is seen as a file, whose name and size tell it apart. */
type Key = number | string;

/** WatchedObjects are the objects that the reader of a watch has been told are there. */
export class WatchedObjects {
  readonly #there = new Map<Key, HandleInfo>();
  #bootId = '';

  /** Takes note of an event that the reader is told. */
  tell(type: 'present' | 'added' | 'removed', info: HandleInfo): WatchEvent {
    if (type === 'removed') this.#there.delete(keyOf(info));
    else this.#there.set(keyOf(info), info);
    return { type, info };
  }

  /** The first list is told. */
  synced(bootId: string): WatchEvent {
    this.#bootId = bootId;
    return { type: 'synced', relisted: false };
  }

  /** What a new list means to the reader: what is not on it went, what was not known came. */
  *relisted(listed: readonly HandleInfo[], bootId: string): Generator<WatchEvent, void, undefined> {
    // Another boot gives the same ids to other objects.
    const sameBoot = bootId === this.#bootId;
    const keys = new Set(sameBoot ? listed.map(keyOf) : []);
    for (const [key, info] of this.#there) {
      if (!keys.has(key)) yield this.tell('removed', { ...info, removed: true });
    }
    for (const info of listed) if (!this.#there.has(keyOf(info))) yield this.tell('added', info);
    this.#bootId = bootId;
    yield { type: 'synced', relisted: true };
  }
}

function keyOf({ id, name, size }: HandleInfo): Key {
  return id === 0 ? `${size}:${name}` : id;
}
