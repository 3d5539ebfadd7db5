import { describe, expect, test } from '@jest/globals';
import { MetricRegistry } from './metric-registry.js';

describe('A metric that is read on request', () => {
  test('has the values at that time, and no others', async () => {
    const registry = new MetricRegistry();
    let held = new Map([['unix', 2]]);
    registry.readGauge('btfd_connections', () =>
      [...held].map(([transport, value]) => ({ labels: { transport }, value })),
    );
    expect(await registry.text()).toContain('btfd_connections{transport="unix"} 2\n');
    held = new Map([['tcp', 1]]);
    const text = await registry.text();
    expect(text).toContain('btfd_connections{transport="tcp"} 1\n');
    expect(text).not.toContain('"unix"');
  });

  test('does not add up over scrapes', async () => {
    const registry = new MetricRegistry();
    registry.readCounter('btfd_leases_granted_total', () => [{ value: 5 }]);
    for (let i = 0; i < 3; i++) expect(await registry.text()).toContain('btfd_leases_granted_total 5\n');
  });

  test('is read once for simultaneous requests', async () => {
    const registry = new MetricRegistry();
    let reads = 0;
    registry.readGauge('btfd_load_running', () => [{ value: (reads += 1) }]);
    const texts = await Promise.all([registry.text(), registry.text(), registry.text()]);
    expect([reads, new Set(texts).size]).toEqual([1, 1]);
    await registry.text();
    expect(reads).toBe(2);
  });
});
