import type { Clock, Timer } from '../base/clock.js';
import type { Limits } from '../config/limits.js';
import { SharedRuns } from '../base/shared-runs.js';
import { inSlices } from '../base/slices.js';
import { EventLog } from './event-log.js';
import { ObjectDetector } from './object-detector.js';
import type { ObjectKeys } from './object-keys.js';
import { Watcher } from './watcher.js';

/**
 * ObjectWatch looks for objects that come and go while anybody watches: one look at each interval, however many watch.
 * What it knows it keeps, so that a watcher who was the only one can go on where it was cut off.
 */
export class ObjectWatch {
  private readonly log: EventLog;
  private readonly detector: ObjectDetector;
  private readonly looks: SharedRuns<void>;
  private readonly watchers = new Set<Watcher>();
  private timer: Timer | null = null;

  constructor(
    private readonly keys: Pick<ObjectKeys, 'prepare' | 'keys' | 'info'>,
    private readonly limits: Pick<Limits, 'watchIntervalMs' | 'watchHistory'>,
    private readonly clock: Clock,
  ) {
    this.log = new EventLog(limits.watchHistory);
    this.detector = new ObjectDetector(keys, this.log);
    this.looks = new SharedRuns(() => inSlices(this.detector.look(), clock));
  }

  /**
   * Begins to watch, by a look. Disposing of the watcher ends it.
   *
   * @throws what the kernel refuses to list or to open objects with.
   */
  async open(): Promise<Watcher> {
    const watcher = new Watcher({
      log: this.log,
      limit: this.limits.watchHistory,
      clock: this.clock,
      present: () => this.detector.present(),
      leave: (leaving) => this.leave(leaving),
    });
    this.watchers.add(watcher);
    try {
      if (this.watchers.size === 1) this.keys.prepare();
      this.timer ??= this.wait();
      await this.looks.next();
      return watcher;
    } catch (error) {
      watcher[Symbol.dispose]();
      throw error;
    }
  }

  private wait(): Timer {
    return this.clock.after(this.limits.watchIntervalMs, () => void this.lookAndWait());
  }

  private async lookAndWait(): Promise<void> {
    const { timer } = this;
    try {
      await this.looks.next();
    } catch (error) {
      for (const watcher of this.watchers) watcher.fail(error);
    }
    // Not if everybody left meanwhile, even if somebody came after that.
    if (this.timer === timer) this.timer = this.wait();
  }

  private leave(watcher: Watcher): void {
    this.watchers.delete(watcher);
    if (this.watchers.size > 0) return;
    this.timer?.cancel();
    this.timer = null;
  }
}
