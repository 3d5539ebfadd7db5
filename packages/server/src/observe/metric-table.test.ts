import { describe, expect, test } from '@jest/globals';
import { FakeKernel } from '../testing/fake-kernel.js';
import { makeServices } from '../testing/services.js';
import { NO_SOURCES } from '../testing/metric-sources.js';
import { DaemonMetrics } from './daemon-metrics.js';
import { METRICS, type MetricEntry } from './metric-table.js';

async function scrape(): Promise<string> {
  const metrics = new DaemonMetrics();
  metrics.read(await makeServices(new FakeKernel()), NO_SOURCES);
  await metrics.registry.addProcessMetrics();
  return metrics.registry.text();
}

test('The daemon exposes each metric of the table, with its type and help, and no other', async () => {
  const exposed = (await scrape()).matchAll(
    /^# HELP (?<name>btfd_\S+) (?<help>.*)\n# TYPE \S+ (?<type>\S+)$/gm,
  );
  const own = [...exposed].map(({ groups: { name = '', type = '', help = '' } = {} }) => ({
    name,
    type,
    help,
  }));
  const table = Object.entries<MetricEntry>(METRICS).map(([name, { type, help }]) => ({ name, type, help }));
  expect(own.toSorted(byName)).toEqual(table.toSorted(byName));
});

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : 1;
}

describe('The name of each metric', () => {
  test.each(Object.entries<MetricEntry>(METRICS))('%s follows Prometheus’s conventions', (name, entry) => {
    expect(name).toMatch(/^btfd_[a-z]+(?:_[a-z]+)*$/);
    expect(name.endsWith('_total')).toBe(entry.type === 'counter');
    if (entry.type === 'histogram') expect(name).toMatch(/_(?:seconds|ratio)$/);
    expect(name).not.toMatch(/_(?:ms|milliseconds|kib|count|sum|bucket)$/);
    expect(entry.help).toMatch(/[^.]$/);
    for (const label of entry.labels) expect(label).toMatch(/^[a-z]+(?:_[a-z]+)*$/);
    expect(entry.labels).not.toContain('le');
  });
});
