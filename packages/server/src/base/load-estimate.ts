/** LoadEstimate is how long the kernel's check of BTF takes by estimate, in milliseconds. */
export interface LoadEstimate {
  /** If the kernel accepts the BTF. */
  readonly acceptedMs: number;
  /** If it refuses the BTF: it is checked once more, for its log. */
  readonly refusedMs: number;
}

/** A short load takes longer than its check: other processes delay it, and so does the change of threads. */
const SHORTEST_MS = 20;
/** Even a busy machine rarely delays a longer load this much. */
const MISSED_RATIO = 5;

/** estimateRatio returns the time of a load divided by the estimate. Shorter estimates than 20 ms count as 20 ms. */
export function estimateRatio({ tookMs, estimatedMs }: { tookMs: number; estimatedMs: number }): number {
  return tookMs / Math.max(estimatedMs, SHORTEST_MS);
}

/** wasMissed reports whether a load took so much longer than its estimate that the estimate is probably wrong. */
export function wasMissed(times: { tookMs: number; estimatedMs: number }): boolean {
  return estimateRatio(times) > MISSED_RATIO;
}
