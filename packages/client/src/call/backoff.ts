import type { Clock } from '../base/clock.js';
import { onAbort } from '../base/on-abort.js';

const FIRST_MS = 100;
/** A daemon that restarts is back within seconds; one that is away for long is not asked more often than this. */
const MAX_MS = 5_000;

/**
 * backoffMs is how long to wait before another attempt: twice as long after each that failed, less up to half of it at
 * random, so that many clients do not come at once.
 *
 * @param failures attempts that failed since the last success, from 1.
 */
export function backoffMs(failures: number, random: () => number): number {
  return Math.min(FIRST_MS * 2 ** (failures - 1), MAX_MS) * (1 - random() / 2);
}

/**
 * pause waits. Unlike other timers of the client it keeps the process alive, as a call does.
 *
 * @param endings what ends it before its time.
 * @throws the reason of the signal that ended it.
 */
export async function pause(
  clock: Clock,
  ms: number,
  endings: readonly (AbortSignal | undefined)[],
): Promise<void> {
  for (const ending of endings) ending?.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const settle = (act: () => void): void => {
      cancel();
      for (const stop of stops) stop();
      act();
    };
    const cancel = clock.setTimer(() => settle(resolve), ms, true);
    const stops = endings.map((ending) => onAbort(ending, () => settle(() => reject(ending?.reason))));
  });
}
