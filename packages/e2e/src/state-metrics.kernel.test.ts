import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { Encoding, type SpecRequestSchema } from '@btfd/api';
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

  test('each BTF that a call reads once, from the cache or from the kernel', async () => {
    await using fresh = await DaemonProcess.start({ args: ['--metrics-listen', '127.0.0.1:0'] });
    using caller = new RawClient(fresh.address);
    const counts = async () => {
      const scrape = await Scrape.of(fresh.metricsUrl);
      const of = (kind: string) => scrape.sum(`btfd_spec_cache_${kind}_total`);
      return { hits: of('hits'), misses: of('misses') };
    };
    const vmlinux = { case: 'name', value: 'vmlinux' } as const;
    const read = async (init: MessageInitShape<typeof SpecRequestSchema>) => {
      let digest = new Uint8Array();
      for await (const { part } of caller.stream('spec', init))
        if (part.case === 'header') digest = part.value.digest;
      return digest;
    };
    const resolve = async (path: string) => caller.call('resolveMembers', { source: vmlinux, paths: [path] });
    const digest = await read({ source: vmlinux });
    const other = new Uint8Array(digest.length);
    expect(await counts()).toEqual({ hits: 0, misses: 1 });
    const loaded = await caller.call('loadHandle', {
      source: { case: 'rawBtf', value: intBtf(3, 'cached') },
    });
    const { value: handle } = loaded.result;
    const source = {
      case: 'handle',
      value: handle !== undefined && 'token' in handle ? handle.token : '',
    } as const;
    await read({ source });
    expect(await counts()).toEqual({ hits: 0, misses: 2 });
    let hits = 0;
    for (const [what, call] of [
      ['a handle', () => read({ source })],
      ['whole', () => read({ source: vmlinux })],
      ['what the client has', () => read({ source: vmlinux, ifNoneMatch: { digest } })],
      ['other BTF than the client has', () => read({ source: vmlinux, ifNoneMatch: { digest: other } })],
      ['BTF over another base', () => read({ source: vmlinux, ifNoneMatch: { digest, baseDigest: other } })],
      [
        'a type',
        () => read({ source: vmlinux, encoding: Encoding.TYPES, selection: { names: ['task_struct'] } }),
      ],
      ['a member', () => resolve('task_struct.mm')],
      ['the same member', () => resolve('task_struct.mm')],
      ['another member', () => resolve('task_struct.pid')],
    ] as const) {
      await call();
      hits += 1;
      expect([what, await counts()]).toEqual([what, { hits, misses: 2 }]);
    }
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
