import type { RowResult } from '../run/result.js';
import { METRIC_NAMES, METRICS, OWN } from '../run/row.js';
import { formatCost, formatRatio } from './units.js';

/** printRow prints the costs of a row, and btfd's ratio to each peer. */
export function printRow({ name, title, points, slopes, missing }: RowResult): void {
  console.log(`\n${name}: ${title.replaceAll('`', '')}`);
  for (const { size, subjects, ratios } of points) {
    const rows: Record<string, Record<string, string>> = {};
    for (const [subject, summaries] of Object.entries(subjects)) {
      rows[size === 0 ? subject : `${size}: ${subject}`] = Object.fromEntries(
        METRIC_NAMES.flatMap((metric) => {
          const cost = summaries[metric];
          if (cost === undefined) return [];
          const ratio = subject === OWN ? undefined : ratios[subject]?.[metric]?.median;
          const text = ratio === undefined ? '' : ` (${formatRatio(ratio)})`;
          return [[METRICS[metric].title, `${formatCost(cost.median, metric)}${text}`]];
        }),
      );
    }
    console.table(rows);
  }
  for (const [subject, exponents] of Object.entries(slopes)) {
    const list = Object.entries(exponents).map(([metric, exponent]) => `${metric} ${exponent.toFixed(2)}`);
    console.log(`growth of ${subject}: ${list.join(', ')}`);
  }
  for (const { subject, reason } of missing) console.log(`left out: ${subject}: ${reason}`);
}
