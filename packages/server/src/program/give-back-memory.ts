import { memoryUsage } from 'node:process';
import { trimMemory } from '@btfd/native';
import type { Clock } from '../base/clock.js';

const LOOK_MS = 1_000;
/** Less is not worth the time of a trim. */
const WORTHWHILE_BYTES = 8 * 1024 * 1024;
/** The looks between two trims, at most. */
const LONGEST_PAUSE = 64;

/** MemoryParts are what `giveBackMemory` needs of the process. */
export interface MemoryParts {
  /** Returns the resident bytes of the process. Throws if no file can be opened: Node reads them from /proc. */
  readonly resident: () => number;
  /** Returns freed memory to the kernel. Throws if the addon is missing. */
  readonly trim: () => void;
}

const OWN: MemoryParts = { resident: () => memoryUsage.rss(), trim: trimMemory };

/**
 * giveBackMemory checks every second whether the process has grown, and then returns to the kernel what it has freed. It
 * does so again after pauses that double up to a minute, as long as the process is larger than it once was: threads end
 * later, V8 collects garbage when it is idle, and a flood can hold its memory for long. glibc would keep what is freed, so
 * the memory after a flood would be that of the flood. It does nothing without the addon.
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
  // The first look finds growth: the compilers of a start have freed memory.
  let afterTrim = 0;
  let least = residentOr(Infinity);
  let pause = 1;
  let looks = 0;
  const look = (): void => {
    looks += 1;
    const now = residentOr(least);
    least = Math.min(least, now);
    afterTrim = Math.min(afterTrim, now);
    const hasGrown = now - afterTrim >= WORTHWHILE_BYTES;
    if (hasGrown || (now - least >= WORTHWHILE_BYTES && looks >= pause)) {
      try {
        trim();
      } catch {
        // Without the addon there is nothing to call, now and later.
        return;
      }
      afterTrim = residentOr(now);
      pause = hasGrown ? 1 : Math.min(2 * pause, LONGEST_PAUSE);
      looks = 0;
    }
    timer = clock.after(LOOK_MS, look);
  };
  let timer = clock.after(LOOK_MS, look);
  return () => timer.cancel();
}
