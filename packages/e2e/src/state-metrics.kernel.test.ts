import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Encoding } from '@btfd/api';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { DaemonProcess } from './testing/daemon-process.js';
import { RawClient } from './testing/raw-client.js';
import { intBtf } from './testing/sample-btf.js';
import { Scrape } from './testing/scrape.js';
import { until } from './testing/until.js';

needs('bpf', 'python3-prometheus-client').describe('The metrics show', () => {
  let dir: string;
  let policy: string;
  let daemon: DaemonProcess;
  let client: RawClient;

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'btfd-state-'));
    policy = join(dir, 'policy.yaml');
    writeFileSync(policy, 'viewers: [uid:4242]\n', { mode: 0o600 });
    const args = ['--metrics-listen', '127.0.0.1:0', '--log-format', 'json', '--policy', policy];
    daemon = await DaemonProcess.start({
      args: [...args, '--max-handles', '100', '--worker-step-timeout', '1s'],
    });
    client = new RawClient(daemon.address);
  });
  afterAll(async () => {
    client[Symbol.dispose]();
    await daemon[Symbol.asyncDispose]();
    rmSync(dir, { recursive: true });
  });

  const scraped = async (): Promise<Scrape> => Scrape.of(daemon.metricsUrl);

  test('how much of each quota is used', async () => {
    const handles = (scrape: Scrape) => scrape.sum('btfd_quota_used', { quota: 'handles' });
    expect((await scraped()).sum('btfd_quota_limit', { quota: 'handles' })).toBe(100);
    const before = handles(await scraped());
    const { result } = await client.call('loadHandle', {
      source: { case: 'rawBtf', value: intBtf(3, 'of_a_quota') },
    });
    expect(handles(await scraped())).toBe(before + 1);
    const tokens = result.case === 'handle' ? [result.value.token] : [];
    await client.call('closeHandles', { tokens });
    expect(handles(await scraped())).toBe(before);
  });

  test('watchers while they watch', async () => {
    const watching = client.stream('watchHandles', {});
    watching.on('error', () => {});
    watching.resume();
    await until('there is a watcher', async () => (await scraped()).sum('btfd_watchers') === 1);
    watching.cancel();
    await until('there is none', async () => (await scraped()).sum('btfd_watchers') === 0);
  });

  test('workers that are busy, idle, and replaced', async () => {
    const spec = client.stream('spec', {
      source: { case: 'name', value: 'vmlinux' },
      encoding: Encoding.TYPES,
    });
    spec.on('error', () => {});
    // Not read, so the job stays.
    await until(
      'a worker is busy',
      async () => (await scraped()).sum('btfd_workers', { state: 'busy' }) === 1,
    );
    spec.cancel();
    await until('it is idle', async () => (await scraped()).sum('btfd_workers', { state: 'idle' }) === 1);
    expect((await scraped()).sum('btfd_workers_replaced_total')).toBe(0);
  });

  test('whether the policy was read, and since when the one in force is', async () => {
    const state = async () => {
      const scrape = await scraped();
      const of = { files: 'policy' };
      return {
        good: scrape.sum('btfd_last_reload_successful', of),
        at: scrape.sum('btfd_last_reload_success_timestamp_seconds', of),
      };
    };
    const first = await state();
    expect(first.good).toBe(1);
    expect(Math.abs(first.at - Date.now() / 1000)).toBeLessThan(3600);
    writeFileSync(policy, 'viewers: nobody\n', { mode: 0o600 });
    await until('it failed', async () => (await state()).good === 0);
    expect((await state()).at).toBe(first.at);
    writeFileSync(policy, 'viewers: [uid:4243]\n', { mode: 0o600 });
    await until('it is read', async () => (await state()).good === 1);
    expect((await state()).at).toBeGreaterThan(first.at);
    expect((await scraped()).sum('btfd_last_reload_successful', { files: 'certificates' })).toBe(0);
    expect((await scraped()).names()).toContain('btfd_jobs_waiting');
  });
});
