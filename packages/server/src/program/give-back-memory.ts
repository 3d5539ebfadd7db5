import { memoryUsage } from 'node:process';
import { trimMemory } from '@btfd/native';
import type { Clock } from '../base/clock.js';

const LOOK_MS = 10_000;
/** Less is not worth the time of a trim. */
const WORTHWHILE_BYTES = 8 * 1024 * 1024;
/** For a minute after the growth: threads end after 20 s, and V8 collects garbage when it is idle. */
const TRIMS = 6;

/** MemoryParts are what `giveBackMemory` needs of the process. */
export interface MemoryParts {
  /** Returns the resident bytes of the process. Throws if no file can be opened: Node reads them from /proc. */
  readonly resident: () => number;
  /** Returns freed memory to the kernel. Throws if the addon is missing. */
  readonly trim: () => void;
}

const OWN: MemoryParts = { resident: () => memoryUsage.rss(), trim: trimMemory };

/**
 * giveBackMemory looks every 10 s whether the process has grown. For a minute after that, it returns what the process has
 * freed to the kernel. Then it does so once a minute while the process is larger than it was before, because a flood can
 * hold its memory for longer. glibc would keep what is freed, so the memory after a flood would be that of the flood. It
 * does nothing without the addon.
 *
 * @returns a function that stops it.
 */
export function giveBackMemory(clock: Clock, { resident, trim }: MemoryParts = OWN): () => void {
  const residentOr = (fallback: number): number => {
    try {
      return resident();
    } catch {
      return fallback;
    }
  };
  let before = residentOr(Infinity);
  let least = before;
  /** The trims that are left after growth; if negative, the looks since the last one. */
  let left = 0;
  const look = (): void => {
    const now = residentOr(before);
    if (now - before >= WORTHWHILE_BYTES) left = TRIMS;
    left -= 1;
    const isDue = left <= -TRIMS && now - least >= WORTHWHILE_BYTES;
    if (left >= 0 || isDue) {
      left = Math.max(left, 0);
      try {
        trim();
      } catch {
        // Without the addon there is nothing to call, now and later.
        return;
      }
    }
    before = residentOr(before);
    least = Math.min(least, before);
    timer = clock.after(LOOK_MS, look);
  };
  let timer = clock.after(LOOK_MS, look);
  return () => timer.cancel();
}
