import type { Point, RowResult } from '../run/result.js';
import { METRIC_NAMES, METRICS, OWN, type Goal, type Metric } from '../run/row.js';
import { formatCost, formatRatio } from './units.js';

/** markdownTable returns a table whose columns are aligned, as prettier aligns them. */
export function markdownTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, column) =>
    Math.max(3, title.length, ...rows.map((row) => (row[column] ?? '').length)),
  );
  const lineOf = (cells: readonly string[]): string =>
    `| ${widths.map((width, column) => (cells[column] ?? '').padEnd(width)).join(' | ')} |`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [lineOf(header), rule, ...rows.map(lineOf)].join('\n');
}

/** peersOf returns the subjects of some rows except btfd, each once. */
export function peersOf(rows: readonly RowResult[]): string[] {
  const subjects = rows.flatMap(({ points }) => points.flatMap((point) => Object.keys(point.subjects)));
  return [...new Set(subjects)].filter((subject) => subject !== OWN);
}

/** costTable returns a line for each metric of each row: btfd's cost, and the cost and the ratio of each peer. */
export function costTable(rows: readonly RowResult[]): string {
  const peers = peersOf(rows);
  const lines = rows.flatMap((row) => {
    const [point] = row.points;
    if (point === undefined) return [];
    const metrics = METRIC_NAMES.filter((metric) => point.subjects[OWN]?.[metric] !== undefined);
    return metrics.map((metric, index) =>
      [index === 0 ? row.title : '', METRICS[metric].title, ownCell(point, metric)].concat(
        peers.map((peer) => peerCell(point, peer, metric)),
        goalCell(row, point, metric),
      ),
    );
  });
  return markdownTable(['', 'cost', OWN, ...peers, 'goal'], lines);
}

function ownCell(point: Point, metric: Metric): string {
  const summary = point.subjects[OWN]?.[metric];
  if (summary === undefined) return '';
  return `${formatCost(summary.median, metric)} ± ${formatCost(summary.mad, metric)}`;
}

function peerCell(point: Point, peer: string, metric: Metric): string {
  const cost = point.subjects[peer]?.[metric];
  if (cost === undefined) return '';
  const ratio = point.ratios[peer]?.[metric];
  return `${formatCost(cost.median, metric)}${ratio === undefined ? '' : ` (${formatRatio(ratio.median)})`}`;
}

function goalCell(row: RowResult, point: Point, metric: Metric): string {
  return row.goals
    .filter((goal) => goal.metric === metric)
    .map((goal) => {
      const met = isMet(goal, point);
      const bound = goal.peer === null ? formatCost(goal.atMost, metric) : `${goal.atMost} × ${goal.peer}`;
      return `≤ ${bound}: ${met === null ? 'not measured' : met ? 'yes' : 'no'}`;
    })
    .join('; ');
}

/** isMet returns whether a goal is reached, or null if it was not measured. */
export function isMet({ metric, peer, atMost }: Goal, point: Point): boolean | null {
  const summary = peer === null ? point.subjects[OWN]?.[metric] : point.ratios[peer]?.[metric];
  return summary === undefined ? null : summary.median <= atMost;
}

/** growthTable returns a line for each size, and one with the exponents. */
export function growthTable({ points, slopes }: RowResult, metric: Metric, sizeTitle: string): string {
  const subjects = [...new Set(points.flatMap((point) => Object.keys(point.subjects)))];
  const lines = points.map((point) => [
    point.size.toLocaleString('en'),
    ...subjects.map((subject) => {
      const summary = point.subjects[subject]?.[metric];
      return summary === undefined ? '' : formatCost(summary.median, metric);
    }),
  ]);
  const exponents = subjects.map((subject) => {
    const slope = slopes[subject]?.[metric];
    return slope === undefined ? '' : slope.toFixed(2);
  });
  return markdownTable([sizeTitle, ...subjects], [...lines, ['exponent', ...exponents]]);
}
