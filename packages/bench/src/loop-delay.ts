import { readFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** LoopDelay is how long a process's event loop was held, in milliseconds. */
export interface LoopDelay {
  /** By the clock, which on a busy machine is more than the process's own doing. */
  readonly max: number;
  readonly p99: number;
  /** The longest that the loop's thread ran between two turns, not counting when others had its processor. */
  readonly maxRun: number;
}

/** The histogram records the whole interval of its timer; what exceeds it is delay. */
const RESOLUTION_MS = 1;
const NS_PER_MS = 1_000_000;

/** answerLoopDelay makes a child process answer each message with its delay since the one before. */
export function answerLoopDelay(): void {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  let ranMs = runMs();
  let maxRun = 0;
  const look = (): void => {
    const now = runMs();
    maxRun = Math.max(maxRun, now - ranMs);
    ranMs = now;
  };
  setInterval(look, RESOLUTION_MS);
  process.on('message', () => {
    look();
    const max = delayMs(histogram.max);
    const p99 = delayMs(histogram.percentile(99));
    process.send?.({ max, p99, maxRun } satisfies LoopDelay);
    histogram.reset();
    maxRun = 0;
  });
}

function delayMs(ns: number): number {
  return Math.max(0, ns / NS_PER_MS - RESOLUTION_MS);
}

/** How long the main thread has run on a processor so far; 0 where the kernel doesn't tell. */
function runMs(): number {
  try {
    const [ns] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'latin1').split(' ');
    return Number(ns) / NS_PER_MS;
  } catch {
    return 0;
  }
}
