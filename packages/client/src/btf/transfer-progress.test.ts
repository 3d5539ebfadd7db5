import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { BtfClient } from '../client.js';
import { FakeDaemon } from '../fake-daemon/index.js';
import { tinyBtf, tinySplitBtf } from '../testing/tiny-btf.js';
import type { TransferProgress } from './transfer-progress.js';

/** A name that makes the BTF 142 bytes long, which are three messages of 64. */
const VMLINUX = tinyBtf('a'.repeat(100));
const SIZE = VMLINUX.length;

let daemon: FakeDaemon;
let client: BtfClient;
let told: TransferProgress[];

const onProgress = (progress: TransferProgress): void => void told.push(progress);

beforeEach(async () => {
  daemon = await FakeDaemon.start({
    chunkBytes: 64,
    objects: [
      { name: 'vmlinux', btf: VMLINUX },
      { name: 'dummy', btf: tinySplitBtf() },
    ],
  });
  client = new BtfClient(daemon.address);
  told = [];
});

afterEach(async () => {
  await client.close();
  await daemon.stop();
});

const steps = (name: string, total: number): TransferProgress[] =>
  [0, 64, 128, total].filter((received) => received <= total).map((received) => ({ name, received, total }));

test('a transfer of BTF is told from its beginning to its end', async () => {
  await client.spec('vmlinux', { onProgress });
  expect(told).toEqual(steps('vmlinux', SIZE));
});

test('what is in the cache is no transfer', async () => {
  const handle = await client.getHandleById(1);
  await handle.rawBtf({ onProgress });
  const count = told.length;
  await handle.spec({ onProgress });
  expect(told).toHaveLength(count);
});

test("a module's base is a transfer of its own", async () => {
  await client.spec('dummy', { onProgress });
  const moduleSize = tinySplitBtf().length;
  expect(told).toEqual([
    { name: 'dummy', received: 0, total: moduleSize },
    { name: 'dummy', received: moduleSize, total: moduleSize },
    ...steps('vmlinux', SIZE),
  ]);
});

test('all who wait for one transfer are told', async () => {
  const others: TransferProgress[] = [];
  const handle = await client.getHandleById(1);
  await Promise.all([
    client.spec('vmlinux', { onProgress }),
    client.spec('vmlinux', { onProgress: (progress) => others.push(progress) }),
    handle.rawBtf({ onProgress: (progress) => others.push(progress) }),
  ]);
  const end = { name: 'vmlinux', received: SIZE, total: SIZE };
  expect(told.at(-1)).toEqual(end);
  expect(others.filter(({ received }) => received === SIZE)).toEqual([end, end]);
});

test('a transfer that is repeated begins anew', async () => {
  daemon.loseNextAnswer('spec');
  await client.spec('vmlinux', { onProgress });
  expect(told).toEqual([...steps('vmlinux', SIZE), ...steps('vmlinux', SIZE)]);
});

test('a header in C has no size that is known before', async () => {
  const text = await client.cHeader('vmlinux', {}, { onProgress });
  expect(told.at(0)).toEqual({ name: 'vmlinux', received: 0, total: null });
  expect(told.at(-1)).toEqual({ name: 'vmlinux', received: text.length, total: null });
});

test('a selection is told with its own size', async () => {
  const handle = await client.getHandleById(1);
  await handle.selectTypes({ ids: [1] }, { onProgress });
  const { received, total } = told.at(-1) ?? {};
  expect(received).toBe(total);
  expect(total).toBeGreaterThan(100);
});

test('an error of who is told is that of its call, and of no other', async () => {
  const error = new Error('of the listener');
  const fails = client.spec('vmlinux', {
    onProgress: () => {
      throw error;
    },
  });
  const others = client.spec('vmlinux');
  await expect(fails).rejects.toBe(error);
  expect((await others).typesByName('a'.repeat(100))).toHaveLength(1);
});
