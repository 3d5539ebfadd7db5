import { METRICS, type MetricEntry } from './metric-table.js';

const BEGIN = '<!-- made by `pnpm generate:docs`; edits are lost -->';
const END = '<!-- end of what is made -->';

/** ExposedMetric is a metric as Prometheus's text format shows it. */
interface ExposedMetric {
  readonly name: string;
  readonly type: string;
  readonly help: string;
}

/** withMetricTables puts the tables of all metrics, given the text of a scrape, where a document has its marks. */
export function withMetricTables(document: string, scraped: string): string {
  const [before, rest] = document.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error(`the document has no ${BEGIN} … ${END}`);
  return `${before}${BEGIN}\n\n${metricTables(scraped)}\n${END}${after}`;
}

/** exposedMetrics lists the metrics in the text of a scrape. */
export function exposedMetrics(scraped: string): ExposedMetric[] {
  const pattern = /^# HELP (?<name>\S+) (?<help>.*)\n# TYPE \S+ (?<type>\S+)$/gm;
  return [...scraped.matchAll(pattern)].map(({ groups: { name = '', help = '', type = '' } = {} }) => ({
    name,
    help,
    type,
  }));
}

function metricTables(scraped: string): string {
  const own = Object.entries<MetricEntry>(METRICS).map(([name, { type, help, labels, buckets }]) => [
    `\`${name}\``,
    type,
    labels.map((label) => `\`${label}\``).join(', '),
    buckets === undefined ? `${help}.` : `${help}. Buckets up to ${buckets.at(-1)} s.`,
  ]);
  const process = exposedMetrics(scraped)
    .filter(({ name }) => !(name in METRICS))
    .map(({ name, type, help }) => [`\`${name}\``, type, help]);
  return [
    '## Of the daemon',
    '',
    ...table(['metric', 'type', 'labels', 'what it tells'], own),
    '',
    '## Of the process, from prom-client',
    '',
    ...table(['metric', 'type', 'what it tells'], process),
    '',
  ].join('\n');
}

/** As prettier writes tables. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)];
}
