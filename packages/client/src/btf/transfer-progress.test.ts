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
let reported: TransferProgress[];

const onProgress = (progress: TransferProgress): void => void reported.push(progress);

beforeEach(async () => {
  daemon = await FakeDaemon.start({
    chunkBytes: 64,
    objects: [
      { name: 'vmlinux', btf: VMLINUX },
      { name: 'dummy', btf: tinySplitBtf() },
    ],
  });
  client = new BtfClient(daemon.address);
  reported = [];
});

afterEach(async () => {
  await client.close();
  await daemon.stop();
});

const steps = (name: string, total: number): TransferProgress[] =>
  [0, 64, 128, total].filter((received) => received <= total).map((received) => ({ name, received, total }));

test('the progress of a transfer is reported from its beginning to its end', async () => {
  await client.spec('vmlinux', { onProgress });
  expect(reported).toEqual(steps('vmlinux', SIZE));
});

test('BTF in the cache is not transferred', async () => {
  const handle = await client.getHandleById(1);
  await handle.rawBtf({ onProgress });
  const count = reported.length;
  await handle.spec({ onProgress });
  expect(reported).toHaveLength(count);
});

test("a module's base is a transfer of its own", async () => {
  await client.spec('dummy', { onProgress });
  const moduleSize = tinySplitBtf().length;
  expect(reported).toEqual([
    { name: 'dummy', received: 0, total: moduleSize },
    { name: 'dummy', received: moduleSize, total: moduleSize },
    ...steps('vmlinux', SIZE),
  ]);
});

test('every call that waits for a transfer gets its progress', async () => {
  const others: TransferProgress[] = [];
  const handle = await client.getHandleById(1);
  await Promise.all([
    client.spec('vmlinux', { onProgress }),
    client.spec('vmlinux', { onProgress: (progress) => others.push(progress) }),
    handle.rawBtf({ onProgress: (progress) => others.push(progress) }),
  ]);
  const end = { name: 'vmlinux', received: SIZE, total: SIZE };
  expect(reported.at(-1)).toEqual(end);
  expect(others.filter(({ received }) => received === SIZE)).toEqual([end, end]);
});

test('a repeated transfer is reported from its beginning again', async () => {
  daemon.loseNextAnswer('spec');
  await client.spec('vmlinux', { onProgress });
  expect(reported).toEqual([...steps('vmlinux', SIZE), ...steps('vmlinux', SIZE)]);
});

test('the total of a C header is not known', async () => {
  const text = await client.cHeader('vmlinux', {}, { onProgress });
  expect(reported.at(0)).toEqual({ name: 'vmlinux', received: 0, total: null });
  expect(reported.at(-1)).toEqual({ name: 'vmlinux', received: text.length, total: null });
});

test('the total of a selection is its own size', async () => {
  const handle = await client.getHandleById(1);
  await handle.selectTypes({ ids: [1] }, { onProgress });
  const { received, total } = reported.at(-1) ?? {};
  expect(received).toBe(total);
  expect(total).toBeGreaterThan(100);
});

test('an error that onProgress throws rejects only its own call', async () => {
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
