import type { Clock, Timer } from '../base/clock.js';
import type { Limits } from '../config/limits.js';
import type { ObjectList } from '../kernel/object-list.js';
import { EventLog } from './event-log.js';
import { Watcher } from './watcher.js';

/**
 * ObjectWatch looks for objects that come and go while there are watchers: once per interval for all of them. It remembers
 * the changes, also those that other calls find, so that a watcher can resume where it was cut off.
 */
export class ObjectWatch {
  readonly #log: EventLog;
  readonly #watchers = new Set<Watcher>();
  #timer: Timer | null = null;
  readonly #objects: Pick<ObjectList, 'look' | 'present' | 'onChange'>;
  readonly #limits: Pick<Limits, 'watchIntervalMs' | 'watchHistory'>;
  readonly #clock: Clock;

  constructor(
    objects: Pick<ObjectList, 'look' | 'present' | 'onChange'>,
    limits: Pick<Limits, 'watchIntervalMs' | 'watchHistory'>,
    clock: Clock,
  ) {
    this.#objects = objects;
    this.#limits = limits;
    this.#clock = clock;
    this.#log = new EventLog(limits.watchHistory);
    objects.onChange((change, info) => this.#log.append(change, info));
  }

  /** The number of watchers. */
  get watchers(): number {
    return this.#watchers.size;
  }

  /**
   * open looks for objects and returns a watcher. Dispose of the watcher to end the watch.
   *
   * @throws BpfError if the kernel refuses to list or to open objects.
   * @throws ServiceError if the files of BTF cannot be listed.
   */
  async open(): Promise<Watcher> {
    const watcher = new Watcher({
      log: this.#log,
      limit: this.#limits.watchHistory,
      clock: this.#clock,
      present: () => this.#objects.present(),
      leave: (leaving) => this.#leave(leaving),
    });
    this.#watchers.add(watcher);
    try {
      this.#timer ??= this.#wait();
      await this.#objects.look();
      return watcher;
    } catch (error) {
      watcher[Symbol.dispose]();
      throw error;
    }
  }

  #wait(): Timer {
    return this.#clock.after(this.#limits.watchIntervalMs, () => void this.#lookAndWait());
  }

  async #lookAndWait(): Promise<void> {
    const timer = this.#timer;
    try {
      await this.#objects.look();
    } catch (error) {
      for (const watcher of this.#watchers) watcher.fail(error);
    }
    // Not if all watchers left meanwhile, even if a new one started after that and set its own timer.
    if (this.#timer === timer) this.#timer = this.#wait();
  }

  #leave(watcher: Watcher): void {
    this.#watchers.delete(watcher);
    if (this.#watchers.size > 0) return;
    this.#timer?.cancel();
    this.#timer = null;
  }
}
