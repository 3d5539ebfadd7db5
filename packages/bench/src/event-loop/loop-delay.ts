import { readFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** LoopDelay is how long the event loop of a process was blocked, in milliseconds. */
export interface LoopDelay {
  /** By the clock, which on a busy machine includes the time of other processes. */
  readonly max: number;
  readonly p99: number;
  /** The longest CPU time of the loop's thread between two iterations. */
  readonly maxRun: number;
}

/** The histogram records the whole interval of its timer. The excess is the delay. */
const RESOLUTION_MS = 1;
const NS_PER_MS = 1_000_000;

/** reportLoopDelay makes a child process respond to each message with its delay since the previous message. */
export function reportLoopDelay(): void {
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

/** Returns the CPU time of the main thread until now, or 0 if the kernel does not report it. */
function runMs(): number {
  try {
    const [ns] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'latin1').split(' ');
    return Number(ns) / NS_PER_MS;
  } catch {
    return 0;
  }
}
