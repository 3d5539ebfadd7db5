/** Summary describes the values of several rounds. */
export interface Summary {
  readonly median: number;
  /** The median distance from the median, which one outlier does not change. */
  readonly mad: number;
  readonly values: readonly number[];
}

/** summarize returns the summary of some values. @throws Error if there are none. */
export function summarize(values: readonly number[]): Summary {
  const middle = median(values);
  return { median: middle, mad: median(values.map((value) => Math.abs(value - middle))), values };
}

/** median returns the middle value, or the mean of the two middle values. @throws Error if there are no values. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[sorted.length >> 1];
  const lower = sorted[(sorted.length - 1) >> 1];
  if (upper === undefined || lower === undefined) throw new Error('no values to summarize');
  return (lower + upper) / 2;
}

/**
 * ratios returns the ratio of two subjects in each round. Rounds pair up by their index, so that both values of a ratio were
 * measured one after the other.
 *
 * @param over - values of a third subject, such as an empty process, which are subtracted from both. Rounds in which the
 * peer does not exceed them have no ratio.
 */
export function ratios(own: readonly number[], peer: readonly number[], over?: readonly number[]): number[] {
  return own.flatMap((value, round) => {
    const other = peer[round];
    const base = over === undefined ? 0 : over[round];
    if (other === undefined || base === undefined || other <= base) return [];
    return [(value - base) / (other - base)];
  });
}

/**
 * slope returns the exponent with which a cost grows with a size: the slope of the line through the logarithms with the
 * least squares. 1 is linear growth. Returns null for fewer than two sizes.
 */
export function slope(points: readonly (readonly [size: number, cost: number])[]): number | null {
  const logs = points
    .filter(([size, cost]) => size > 0 && cost > 0)
    .map(([size, cost]): [number, number] => [Math.log(size), Math.log(cost)]);
  const meanX = mean(logs.map(([x]) => x));
  const meanY = mean(logs.map(([, y]) => y));
  const varied = logs.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  if (varied === 0) return null;
  return logs.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) / varied;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
