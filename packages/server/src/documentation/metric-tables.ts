import { METRICS, type MetricEntry } from '../observe/metric-table.js';
import { markdownTable } from './markdown-table.js';

/** ExposedMetric is a metric as Prometheus's text format shows it. */
interface ExposedMetric {
  readonly name: string;
  readonly type: string;
  readonly help: string;
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

/** metricTables is the documentation of all metrics, in Markdown, given the text of a scrape. */
export function metricTables(scraped: string): string {
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
    markdownTable(['metric', 'type', 'labels', 'what it tells'], own),
    '',
    '## Of the process, from prom-client',
    '',
    markdownTable(['metric', 'type', 'what it tells'], process),
    '',
  ].join('\n');
}
