import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { BtfClient } from './client.js';
import type { DaemonChange } from './call/daemon-pin.js';
import { FakeDaemon } from './fake-daemon/index.js';
import { rejection, until } from './testing/promises.js';
import { tinyBtf } from './testing/tiny-btf.js';

let daemon: FakeDaemon;
let client: BtfClient;
let changes: DaemonChange[];

beforeEach(async () => {
  daemon = await FakeDaemon.start({ objects: [{ name: 'vmlinux', btf: tinyBtf('u32') }] });
  changes = [];
  client = new BtfClient(daemon.address, { onDaemonChange: (change) => changes.push(change) });
});

afterEach(async () => {
  await client.close();
  await daemon.stop();
});

test('[C3] a handle is lost as soon as the daemon has restarted, long before its lease would be renewed', async () => {
  await using plain = new BtfClient(daemon.address);
  const handle = await plain.getHandleById(1, { ttl: 3_600_000 });
  await daemon.restart();
  await until(() => handle.lost.aborted);
  expect(handle.lost.reason).toMatchObject({
    reason: 'HANDLE_OF_EARLIER_DAEMON',
    metadata: { daemon_epoch: daemon.epoch },
  });
});

test('a handle stays valid if only the connection broke', async () => {
  const handle = await client.getHandleById(1, { ttl: 3_600_000 });
  const renewed = daemon.callsOf('renewHandles').length;
  await daemon.disconnect();
  await until(() => daemon.callsOf('renewHandles').length > renewed);
  await handle.inspect();
  expect(handle.lost.aborted).toBe(false);
  expect(changes).toEqual([]);
});

test('[C3] all handles are lost when one response comes from another run of the daemon', async () => {
  const handle = await client.getHandleById(1, { ttl: 3_600_000 });
  await daemon.restart();
  // This call notices the broken connection. getHandleById would not be repeated, because it opens a handle.
  await client.listObjects();
  const fresh = await client.getHandleById(1);
  expect(handle.lost.reason).toMatchObject({ reason: 'HANDLE_OF_EARLIER_DAEMON' });
  expect(fresh.lost.aborted).toBe(false);
  expect(await rejection(handle.inspect())).toBe(handle.lost.reason);
});

test('a restarted daemon is reported once, with both identities', async () => {
  const { daemonEpoch: epoch, bootId } = await client.serverInfo();
  await daemon.restart();
  await client.listObjects();
  await until(() => changes.length > 0);
  await client.serverInfo();
  expect(changes).toEqual([{ previous: { epoch, bootId }, current: { epoch: daemon.epoch, bootId } }]);
});

test('a rebooted machine is recognised by its boot id', async () => {
  await client.listObjects();
  await until(() => daemon.callsOf('getServerInfo')[0]?.state === 'answered');
  await daemon.restart({ reboot: true });
  await client.listObjects();
  await until(() => changes.length > 0);
  const [change] = changes;
  expect(change?.current.bootId).toMatch(/^[0-9a-f-]{36}$/);
  expect(change?.previous.bootId).toMatch(/^[0-9a-f-]{36}$/);
  expect(change?.current.bootId).not.toBe(change?.previous.bootId);
});

test('the first connection is not a change', async () => {
  await client.getHandleById(1);
  await client.listObjects();
  expect(changes).toEqual([]);
});
