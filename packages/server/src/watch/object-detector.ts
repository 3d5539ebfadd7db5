import type { ObjectInfo } from '../kernel/kernel.js';
import type { EventLog } from './event-log.js';
import type { ObjectKey, ObjectKeys } from './object-keys.js';

/**
 * ObjectDetector finds out which objects came and went since it last looked. Ids are not used again before 2^31 others
 * were, and objects never change: as long as the keys are the same, so is everything.
 */
export class ObjectDetector {
  private readonly known = new Map<ObjectKey, ObjectInfo>();
  /** The keys of what is known, in the order in which they were found. */
  private order: readonly ObjectKey[] = [];

  constructor(
    private readonly keys: Pick<ObjectKeys, 'keys' | 'info'>,
    private readonly log: EventLog,
  ) {}

  /** What is known to be there: all that the log tells has come, and not gone. */
  present(): ObjectInfo[] {
    return [...this.known.values()];
  }

  /** Looks, in steps between which others may run, and tells the log what it finds. */
  *look(): Generator<void, void, void> {
    const changed = yield* this.changedOrder();
    if (changed === null) return;
    const there = new Set(changed);
    // Until all is told, so that a failure on the way doesn't make the next look think that it was.
    this.order = [];
    // First, because what comes may take the place of what goes: a module that is loaded again.
    for (const [key, info] of this.known) {
      if (there.has(key)) continue;
      this.known.delete(key);
      this.log.append('removed', info);
      yield;
    }
    for (const key of changed) {
      const info = this.known.has(key) ? null : this.keys.info(key);
      if (info !== null) {
        this.known.set(key, info);
        this.log.append('added', info);
      }
      yield;
    }
    this.order = changed.filter((key) => this.known.has(key));
  }

  /** The keys of what is there; null where nothing changed. */
  private *changedOrder(): Generator<void, readonly ObjectKey[] | null, void> {
    let same = 0;
    let changed: ObjectKey[] | null = null;
    for (const key of this.keys.keys()) {
      if (changed === null && key === this.order[same]) same += 1;
      else (changed ??= this.order.slice(0, same)).push(key);
      yield;
    }
    if (changed === null && same === this.known.size) return null;
    return changed ?? this.order.slice(0, same);
  }
}
