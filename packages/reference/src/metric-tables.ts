import { markdownTable } from './made-block.js';

/** DocumentedMetric is a metric of the daemon's own table. */
export interface DocumentedMetric {
  readonly type: string;
  readonly help: string;
  readonly labels: readonly string[];
  /** Upper bounds, if it is a histogram. */
  readonly buckets?: readonly number[];
}

/**
 * metricTables returns the documentation of all metrics, in Markdown.
 *
 * @param metrics the daemon's own, by name.
 * @param scraped a scrape in Prometheus's text format, which also has those of the process.
 */
export function metricTables(metrics: Readonly<Record<string, DocumentedMetric>>, scraped: string): string {
  const own = Object.entries(metrics).map(([name, { type, help, labels, buckets }]) => [
    `\`${name}\``,
    type,
    labels.map((label) => `\`${label}\``).join(', '),
    buckets === undefined ? `${help}.` : `${help}. Buckets up to ${buckets.at(-1)} s.`,
  ]);
  const exposed = scraped.matchAll(/^# HELP (?<name>\S+) (?<help>.*)\n# TYPE \S+ (?<type>\S+)$/gm);
  const process = [...exposed]
    .map(({ groups: { name = '', help = '', type = '' } = {} }) => ({ name, help, type }))
    .filter(({ name }) => !(name in metrics))
    .map(({ name, type, help }) => [`\`${name}\``, type, help]);
  return [
    '## Daemon',
    '',
    markdownTable(['metric', 'type', 'labels', 'description'], own),
    '',
    '## Process (from prom-client)',
    '',
    markdownTable(['metric', 'type', 'description'], process),
    '',
  ].join('\n');
}
