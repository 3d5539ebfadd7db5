import type { ObjectInfo } from '../kernel/kernel.js';
import type { EventLog } from './event-log.js';
import type { ObjectKey, ObjectKeys } from './object-keys.js';

/**
 * ObjectDetector finds the objects that were added and removed since its last look. The kernel does not reuse an id before 2^31
 * others, and objects never change, so the same keys mean the same objects.
 */
export class ObjectDetector {
  readonly #known = new Map<ObjectKey, ObjectInfo>();
  /** The keys of the known objects, in the order in which they were found. */
  #order: readonly ObjectKey[] = [];
  readonly #keys: Pick<ObjectKeys, 'keys' | 'info'>;
  readonly #log: EventLog;

  constructor(keys: Pick<ObjectKeys, 'keys' | 'info'>, log: EventLog) {
    this.#keys = keys;
    this.#log = log;
  }

  /** present returns the objects that are there as of the last event in the log. */
  present(): ObjectInfo[] {
    return [...this.#known.values()];
  }

  /** look looks for changes and appends them to the log. Others may run between its steps. */
  *look(): Generator<void, void, void> {
    const changed = yield* this.#changedOrder();
    if (changed === null) return;
    const there = new Set(changed);
    // Empty until all changes are logged. If this look fails, the next one then starts from the beginning.
    this.#order = [];
    // Removals first, because a new object may replace an old one, such as a module that is loaded again.
    for (const [key, info] of this.#known) {
      if (there.has(key)) continue;
      this.#known.delete(key);
      this.#log.append('removed', info);
      yield;
    }
    for (const key of changed) {
      const info = this.#known.has(key) ? null : this.#keys.info(key);
      if (info !== null) {
        this.#known.set(key, info);
        this.#log.append('added', info);
      }
      yield;
    }
    this.#order = changed.filter((key) => this.#known.has(key));
  }

  /** Returns the keys of the objects that are there, or null if nothing changed. */
  *#changedOrder(): Generator<void, readonly ObjectKey[] | null, void> {
    let same = 0;
    let changed: ObjectKey[] | null = null;
    for (const key of this.#keys.keys()) {
      if (changed === null && key === this.#order[same]) same += 1;
      else (changed ??= this.#order.slice(0, same)).push(key);
      yield;
    }
    if (changed === null && same === this.#known.size) return null;
    return changed ?? this.#order.slice(0, same);
  }
}
