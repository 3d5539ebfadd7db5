import type { Clock, Timer } from '../base/clock.js';
import type { Limits } from '../config/limits.js';
import { SharedRuns } from '../base/shared-runs.js';
import { inSlices } from '../base/slices.js';
import { EventLog } from './event-log.js';
import { ObjectDetector } from './object-detector.js';
import type { ObjectKeys } from './object-keys.js';
import { Watcher } from './watcher.js';

/**
 * ObjectWatch finds objects that come and go while there are watchers. It lists the objects once per interval for all watchers. It
 * remembers events after the last watcher leaves, so that this watcher can resume where it was cut off.
 */
export class ObjectWatch {
  readonly #log: EventLog;
  readonly #detector: ObjectDetector;
  readonly #looks: SharedRuns<void>;
  readonly #watchers = new Set<Watcher>();
  #timer: Timer | null = null;
  readonly #keys: Pick<ObjectKeys, 'prepare' | 'keys' | 'info'>;
  readonly #limits: Pick<Limits, 'watchIntervalMs' | 'watchHistory'>;
  readonly #clock: Clock;

  constructor(
    keys: Pick<ObjectKeys, 'prepare' | 'keys' | 'info'>,
    limits: Pick<Limits, 'watchIntervalMs' | 'watchHistory'>,
    clock: Clock,
  ) {
    this.#keys = keys;
    this.#limits = limits;
    this.#clock = clock;
    this.#log = new EventLog(limits.watchHistory);
    this.#detector = new ObjectDetector(keys, this.#log);
    this.#looks = new SharedRuns(() => inSlices(this.#detector.look(), clock));
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
      present: () => this.#detector.present(),
      leave: (leaving) => this.#leave(leaving),
    });
    this.#watchers.add(watcher);
    try {
      if (this.#watchers.size === 1) this.#keys.prepare();
      this.#timer ??= this.#wait();
      await this.#looks.next();
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
      await this.#looks.next();
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
