import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { BtfClient } from '../client.js';
import { FakeDaemon } from '../fake-daemon/index.js';
import { cancelled, specsSent } from '../testing/daemon-calls.js';
import { tinyBtf, tinySplitBtf } from '../testing/tiny-btf.js';

let daemon: FakeDaemon;
let dir: string;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'btfd-store-'));
  daemon = await FakeDaemon.start({
    objects: [
      { name: 'vmlinux', btf: tinyBtf('u32') },
      { name: 'dummy', btf: tinySplitBtf() },
      { btf: tinyBtf('user') },
    ],
  });
});

afterEach(async () => {
  await daemon.stop();
  rmSync(dir, { recursive: true });
});

/** Fetches specs as a new process does. */
async function fetchAll(): Promise<void> {
  await using client = new BtfClient(daemon.address, { specCacheDir: dir });
  expect((await client.spec('dummy')).base?.typesByName('u32')).toHaveLength(1);
  await using handle = await client.getHandleById(1);
  expect((await handle.spec()).typesByName('u32')).toHaveLength(1);
}

test('BTF of the kernel that is on disk is not sent again, to any client', async () => {
  await fetchAll();
  expect(specsSent(daemon)).toBe(2);
  await fetchAll();
  expect(specsSent(daemon)).toBe(2);
  expect(cancelled(daemon)).toEqual([]);
});

test('a transfer is cancelled if its BTF turns out to be on disk', async () => {
  await fetchAll();
  for (const name of readdirSync(dir)) if (name.endsWith('.last')) rmSync(join(dir, name));
  await using client = new BtfClient(daemon.address, { specCacheDir: dir });
  const reported: number[] = [];
  await client.spec('vmlinux', { onProgress: ({ received }) => reported.push(received) });
  expect(reported).toEqual([]);
});

test('a newer kernel replaces the one last seen', async () => {
  await fetchAll();
  daemon.removeObject(1);
  daemon.addObject({ id: 1, name: 'vmlinux', btf: tinyBtf('u64') });
  await using client = new BtfClient(daemon.address, { specCacheDir: dir });
  expect((await client.spec('vmlinux')).typesByName('u64')).toHaveLength(1);
});

test("users' objects are not kept on disk", async () => {
  await using client = new BtfClient(daemon.address, { specCacheDir: dir });
  await using handle = await client.getHandleById(3);
  await handle.spec();
  await client.close();
  expect(readdirSync(dir)).toEqual([]);
});

test('damaged files cost a transfer, but never fail a call', async () => {
  await fetchAll();
  for (const name of readdirSync(dir)) writeFileSync(join(dir, name), 'damaged');
  await fetchAll();
  expect(daemon.callsOf('spec').every(({ state }) => state === 'answered')).toBe(true);
  await fetchAll();
  expect(specsSent(daemon)).toBe(4);
});

test('without a cache in memory each spec is sent, and still has its base', async () => {
  await using client = new BtfClient(daemon.address, { specCacheBytes: 0 });
  const spec = await client.spec('dummy');
  expect(spec.base?.typesByName('u32')).toHaveLength(1);
  await client.spec('vmlinux');
  expect(specsSent(daemon)).toBe(3);
});
