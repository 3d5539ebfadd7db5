import { monitorEventLoopDelay } from 'node:perf_hooks';

/** LoopDelay is how long a process's event loop was held, in milliseconds. */
export interface LoopDelay {
  readonly max: number;
  readonly p99: number;
}

/** The histogram records the whole interval of its timer; what exceeds it is delay. */
const RESOLUTION_MS = 1;
const NS_PER_MS = 1_000_000;

/** answerLoopDelay makes a child process answer each message with its delay since the one before. */
export function answerLoopDelay(): void {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  process.on('message', () => {
    const max = delayMs(histogram.max);
    const p99 = delayMs(histogram.percentile(99));
    histogram.reset();
    process.send?.({ max, p99 } satisfies LoopDelay);
  });
}

function delayMs(ns: number): number {
  return Math.max(0, ns / NS_PER_MS - RESOLUTION_MS);
}
