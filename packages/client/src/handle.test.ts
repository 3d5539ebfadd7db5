import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { BtfClient } from './client.js';
import { FakeDaemon } from './fake-daemon/index.js';
import { closes, renewals } from './testing/daemon-calls.js';
import { rejection, until } from './testing/promises.js';
import { tinyBtf } from './testing/tiny-btf.js';

const BYTES = tinyBtf('u32');

let daemon: FakeDaemon;
let client: BtfClient;

beforeEach(async () => {
  daemon = await FakeDaemon.start({
    objects: [
      { id: 1, name: 'vmlinux', btf: BYTES },
      { id: 2, name: 'dummy', btf: BYTES },
    ],
  });
  client = new BtfClient(daemon.address);
});

afterEach(async () => {
  await client.close();
  await daemon[Symbol.asyncDispose]();
});

test('a handle distinguishes vmlinux from modules', async () => {
  const [vmlinux, module] = await Promise.all([client.getHandleById(1), client.getHandleById(2)]);
  expect([vmlinux.info.isVmlinux, vmlinux.info.isModule, vmlinux.info.origin]).toEqual([
    true,
    false,
    'vmlinux',
  ]);
  expect([module.info.isVmlinux, module.info.isModule, module.info.origin]).toEqual([false, true, 'module']);
});

test('a handle is closed once', async () => {
  const handle = await client.getHandleById(1);
  await Promise.all([handle.close(), handle.close()]);
  await handle.close();
  expect(closes(daemon)).toEqual([[`${daemon.epoch}:1`]]);
  expect(daemon.handles.length).toBe(0);
});

test('a handle cannot be used after its close, and is not lost by it', async () => {
  const handle = await client.getHandleById(1);
  const closing = handle.close();
  for (const use of [handle.spec(), handle.rawBtf(), handle.clone(), handle.renew(), handle.inspect()]) {
    expect(await rejection(use)).toMatchObject({
      code: status.FAILED_PRECONDITION,
      reason: 'HANDLE_CLOSED',
    });
  }
  await closing;
  expect(handle.lost.aborted).toBe(false);
});

test('a handle is closed at the end of its scope', async () => {
  {
    await using handle = await client.getHandleById(1);
    expect(daemon.handles.length).toBe(handle.info.id);
  }
  expect(daemon.handles.length).toBe(0);
});

test('close rejects if it failed, but the end of a scope does not', async () => {
  const handle = await client.getHandleById(1);
  daemon.failNext('closeHandles', { code: status.INTERNAL });
  expect(await rejection(handle.close())).toMatchObject({ code: status.INTERNAL });
  await handle[Symbol.asyncDispose]();
});

test('a clone outlives its handle', async () => {
  const handle = await client.getHandleById(2);
  const clone = await handle.clone();
  await handle.close();
  expect((await clone.inspect()).info.name).toBe('dummy');
});

test('a handle inspects the state of its lease', async () => {
  const handle = await client.getHandleById(1);
  const { remainingTtl, ...state } = await handle.inspect();
  expect(state).toEqual({ info: handle.info, grantedTtl: 60_000 });
  expect(remainingTtl).toBeGreaterThan(50_000);
  expect(remainingTtl).toBeLessThanOrEqual(60_000);
});

test('renew renews the lease', async () => {
  const handle = await client.getHandleById(1);
  expect(await handle.renew()).toBeGreaterThan(50_000);
  expect(renewals(daemon)).toEqual([[`${daemon.epoch}:1`]]);
});

test('renew has a signal and a timeout like any call', async () => {
  const handle = await client.getHandleById(1);
  const reason = new Error('enough');
  expect(await rejection(handle.renew({ signal: AbortSignal.abort(reason) }))).toBe(reason);
  const go = daemon.stall('renewHandles');
  expect(await rejection(handle.renew({ timeout: 50 }))).toMatchObject({ code: status.DEADLINE_EXCEEDED });
  go();
  expect(handle.lost.aborted).toBe(false);
});

test('a handle is renewed automatically, together with others', async () => {
  const handles = await Promise.all([1, 2].map(async (id) => client.getHandleById(id, { ttl: 3_000 })));
  await until(() => renewals(daemon).length >= 3);
  expect(renewals(daemon)[0]?.toSorted()).toEqual([`${daemon.epoch}:1`, `${daemon.epoch}:2`]);
  expect(handles.some(({ lost }) => lost.aborted)).toBe(false);
});

test('a handle that the daemon has closed is lost at its next use', async () => {
  const handle = await client.getHandleById(1);
  daemon.expireHandles();
  const error = await rejection(handle.inspect());
  expect(error).toMatchObject({ reason: 'HANDLE_NOT_FOUND' });
  expect(handle.lost.reason).toBe(error);
  expect(await rejection(handle.clone())).toBe(error);
  await handle.close();
  expect(closes(daemon)).toEqual([]);
});

test('a handle is lost when the daemon restarts', async () => {
  const handle = await client.getHandleById(1);
  await daemon.restart();
  await until(() => handle.lost.aborted);
  expect(handle.lost.reason).toMatchObject({ reason: 'HANDLE_OF_EARLIER_DAEMON' });
  expect(await rejection(handle.renew())).toBe(handle.lost.reason);
});
