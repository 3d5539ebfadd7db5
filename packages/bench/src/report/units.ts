import { METRICS, type Metric } from '../run/row.js';

/** formatCost returns a cost with a unit that suits it: `2.1 ms`. */
export function formatCost(value: number, metric: Metric): string {
  const { unit } = METRICS[metric];
  if (unit === 'KiB') return `${digits(value / 1024)} MiB`;
  if (value < 1_000) return `${digits(value)} µs`;
  if (value < 1_000_000) return `${digits(value / 1_000)} ms`;
  return `${digits(value / 1_000_000)} s`;
}

/** formatRatio returns a ratio: `0.27 ×`. */
export function formatRatio(value: number): string {
  return `${digits(value)} ×`;
}

/** digits returns a number with three digits, or with all digits before the point. */
export function digits(value: number): string {
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en');
  return String(Number(value.toPrecision(value < 1 ? 2 : 3)));
}
