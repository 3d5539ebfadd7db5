import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { BtfClient } from './client.js';
import type { Handle } from './handle.js';
import { iterateHandles } from './iterate-handles.js';
import type { IteratedHandle } from './iterated-handle.js';
import { Session } from './session.js';
import { collectGarbage } from './testing/collect-garbage.js';
import { FakeClock } from './testing/fake-clock.js';
import { FakeDaemon } from './fake-daemon/index.js';
import { cancelled, closes, heldCount, renewals } from './testing/daemon-calls.js';
import { rejection, until } from './testing/promises.js';
import { addUserObjects, tinyBtf } from './testing/tiny-btf.js';

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
  client = new BtfClient(daemon.address, { retries: 0 });
});

afterEach(async () => {
  await client.close();
  await daemon[Symbol.asyncDispose]();
});

async function visit(handles: AsyncIterable<IteratedHandle>, each: () => void): Promise<void> {
  for await (const _ of handles) each();
}

function token(number: number): string {
  return `${daemon.epoch}:${number}`;
}

async function takeFirst(): Promise<Handle> {
  for await (const handle of client.iterateHandles()) return handle.take();
  throw new Error('no object');
}

test('vmlinux without an id, as before Linux 5.11, can be found and read, but not held', async () => {
  await using old = await FakeDaemon.start({
    objects: [
      { id: 0, name: 'vmlinux', btf: BYTES },
      { id: 7, btf: BYTES },
    ],
  });
  await using oldClient = new BtfClient(old.address, { retries: 0 });
  const seen: number[] = [];
  let last: IteratedHandle | null = null;
  for await (const handle of oldClient.iterateHandles()) {
    seen.push(handle.info.id);
    if (handle.info.id !== 0) continue;
    last = handle;
    expect(handle.info).toMatchObject({ name: 'vmlinux', origin: 'vmlinux', isKernel: true });
    expect((await handle.spec()).typesByName('u32')).toHaveLength(1);
    expect(await handle.rawBtf()).toEqual(BYTES);
    expect(await handle.resolveMembers(['nothing.x'])).toHaveLength(1);
    for (const use of [handle.take(), handle.inspect()]) {
      expect(await rejection(use)).toMatchObject({
        reason: 'NOT_HOLDABLE',
        code: status.FAILED_PRECONDITION,
      });
    }
  }
  expect(seen).toEqual([0, 7]);
  expect(await rejection(last?.spec() ?? Promise.resolve())).toMatchObject({ reason: 'HANDLE_CLOSED' });
  // The first example of README.md.
  const error = await rejection(oldClient.findHandle(({ name }) => name === 'vmlinux'));
  expect(error).toMatchObject({
    reason: 'NOT_HOLDABLE',
    message: expect.stringContaining('"vmlinux" has no BTF id'),
  });
  await until(() => old.handles.length === 0);
});

test('an iteration visits objects in order, each open until the loop continues', async () => {
  const seen: number[] = [];
  let previous: IteratedHandle | null = null;
  for await (const handle of client.iterateHandles()) {
    if (previous !== null)
      expect(await rejection(previous.inspect())).toMatchObject({ reason: 'HANDLE_CLOSED' });
    expect((await handle.inspect()).info.id).toBe(handle.info.id);
    seen.push(handle.info.id);
    previous = handle;
  }
  expect(seen).toEqual([1, 2]);
  expect(daemon.handles.length).toBe(0);
});

test('an iteration of many objects closes them in batches, by one call at a time', async () => {
  addUserObjects(daemon, 500);
  let count = 0;
  for await (const _ of client.iterateHandles()) count += 1;
  expect(count).toBe(502);
  const calls = daemon.callsOf('closeHandles');
  expect(calls.some(({ startedAt }, i) => startedAt < (calls[i - 1]?.endedAt ?? 0))).toBe(false);
  expect(calls.length).toBeLessThan(250);
  expect(closes(daemon).flat()).toHaveLength(502);
});

test('an iteration does not wait for handles to be closed', async () => {
  addUserObjects(daemon, 8);
  const go = daemon.stall('closeHandles');
  let count = 0;
  for await (const _ of client.iterateHandles()) {
    count += 1;
    if (count === 10) go();
  }
  const [first, ...rest] = Array.from({ length: 10 }, (_, i) => token(i + 1));
  await until(() => closes(daemon).length === 2);
  expect(closes(daemon)).toEqual([[first], rest]);
});

test('an iteration passes the filter on', async () => {
  const names: string[] = [];
  for await (const handle of client.iterateHandles({ origins: ['module'] })) names.push(handle.info.name);
  for await (const handle of client.iterateHandles({ nameGlobs: ['vmlinux'] })) names.push(handle.info.name);
  for await (const handle of client.iterateHandles({ afterId: 1 })) names.push(handle.info.name);
  expect(names).toEqual(['dummy', 'vmlinux', 'dummy']);
});

test('an iteration left early ends the call, and with it what is held', async () => {
  addUserObjects(daemon, 10);
  for await (const handle of client.iterateHandles()) if (handle.info.id === 2) break;
  await until(() => daemon.handles.length === 0);
  expect(cancelled(daemon)).toEqual(['iterateHandles']);
});

test('an iteration left by an error passes it on, and ends the call', async () => {
  const error = new Error('in the loop');
  const visiting = visit(client.iterateHandles(), () => {
    throw error;
  });
  expect(await rejection(visiting)).toBe(error);
  await until(() => daemon.handles.length === 0);
});

test("an iteration aborted rejects with the signal's reason, and ends the call", async () => {
  const controller = new AbortController();
  const reason = new Error('enough');
  const handles = client.iterateHandles({ signal: controller.signal });
  expect(await rejection(visit(handles, () => controller.abort(reason)))).toBe(reason);
  await until(() => daemon.handles.length === 0);
});

test('an iteration fails when handles cannot be closed', async () => {
  daemon.failNext('closeHandles', { code: status.INTERNAL });
  const visiting = visit(client.iterateHandles(), () => {});
  expect(await rejection(visiting)).toMatchObject({ code: status.INTERNAL });
});

test('take keeps a handle after the iteration', async () => {
  for await (const handle of client.iterateHandles()) {
    if (!handle.info.isVmlinux) continue;
    const taken = await handle.take();
    expect(await handle.take()).toBe(taken);
    await until(() => heldCount(daemon) === 1);
  }
  expect(daemon.handles.map(({ object }) => object.name)).toEqual(['vmlinux']);
  expect(closes(daemon).flat()).toEqual([token(2)]);
});

test('take can be repeated if its response was lost', async () => {
  daemon.loseNextAnswer('takeHandle');
  for await (const handle of client.iterateHandles({ origins: ['vmlinux'] })) {
    expect(await rejection(handle.take())).toMatchObject({ code: status.UNAVAILABLE });
    const taken = await handle.take();
    expect((await taken.inspect()).grantedTtl).toBe(60_000);
  }
  expect(daemon.handles.length).toBe(1);
});

test('a handle whose take() failed for good is closed like the others', async () => {
  daemon.loseNextAnswer('takeHandle');
  for await (const handle of client.iterateHandles())
    if (handle.info.isVmlinux) await rejection(handle.take());
  await until(() => daemon.handles.length === 0);
  expect(closes(daemon).flat()).toContain(token(1));
});

test('a handle whose take() failed is closed when the iteration is left, because it may have a lease', async () => {
  daemon.loseNextAnswer('takeHandle');
  expect(await rejection(takeFirst())).toMatchObject({ code: status.UNAVAILABLE });
  await until(() => daemon.handles.length === 0);
  expect(closes(daemon)).toEqual([[token(1)]]);
});

test('a handle whose take() is aborted is closed', async () => {
  const go = daemon.stall('takeHandle');
  const controller = new AbortController();
  const reason = new Error('enough');
  const found = client.findHandle(() => true, { signal: controller.signal });
  await until(() => daemon.callsOf('takeHandle').length > 0);
  controller.abort(reason);
  expect(await rejection(found)).toBe(reason);
  await until(() => closes(daemon).length > 0);
  expect(closes(daemon)).toEqual([[token(1)]]);
  go();
});

test('a handle whose take() failed is closed with the client at the latest', async () => {
  daemon.loseNextAnswer('takeHandle');
  const iteration = client.iterateHandles();
  const { value } = await iteration.next();
  await rejection(Promise.resolve(value?.take()));
  await client.close();
  expect(closes(daemon)).toEqual([[token(1)]]);
  await rejection(iteration.next().then(async () => iteration.next()));
});

test('a handle that the second take() kept is not closed when the iteration is left', async () => {
  daemon.loseNextAnswer('takeHandle');
  for await (const handle of client.iterateHandles()) {
    await rejection(handle.take());
    await handle.take();
    break;
  }
  await until(() => cancelled(daemon).includes('iterateHandles'));
  expect(daemon.handles.map((handle) => handle.token)).toEqual([token(1)]);
  expect(closes(daemon)).toEqual([]);
});

test('the held handles are renewed during a long loop body, until the iteration is left', async () => {
  const clock = new FakeClock();
  const session = new Session(daemon.address, {}, clock);
  for await (const handle of iterateHandles(session, {})) {
    await until(() => heldCount(daemon) === 2);
    await handle.inspect();
    await clock.advance(10_000);
    await until(() => renewals(daemon).length === 1);
    daemon.failNext('renewHandles', { code: status.UNAVAILABLE });
    await clock.advance(20_000);
    await until(() => renewals(daemon).length === 2);
    expect(renewals(daemon)).toEqual(Array.from({ length: 2 }, () => [token(1), token(2)]));
    expect(clock.timers).toBe(1);
    break;
  }
  expect(clock.timers).toBe(0);
  await session.connection.close();
});

test('an iteration that moves on does not renew the previous handle', async () => {
  const clock = new FakeClock();
  const session = new Session(daemon.address, {}, clock);
  for await (const { info } of iterateHandles(session, {})) {
    if (info.isVmlinux) continue;
    await clock.advance(10_000);
    await until(() => renewals(daemon).length > 0);
  }
  expect(renewals(daemon)).toEqual([[token(2)]]);
  expect(clock.timers).toBe(0);
  await session.connection.close();
});

test('take() finishes before the iteration ends', async () => {
  const go = daemon.stall('takeHandle');
  const found = takeFirst();
  setTimeout(go, 50);
  expect((await found).info.id).toBe(1);
  expect(daemon.handles.map((handle) => handle.token)).toContain(token(1));
  await until(() => daemon.handles.length === 1);
});

test('listObjects refuses a list with more objects than asked for', async () => {
  expect(await client.listObjects({ maxObjects: 2 })).toHaveLength(2);
  expect(await rejection(client.listObjects({ maxObjects: 1 }))).toMatchObject({
    reason: 'INVALID_RESPONSE',
    rawMessage: 'the daemon lists more than 1 objects',
  });
  expect(await rejection(client.listObjects({ maxObjects: -1 }))).toMatchObject({
    rawMessage: 'maxObjects: must be an integer, 0 or more, or Infinity, not -1',
  });
});

test('listObjects holds nothing', async () => {
  expect((await client.listObjects()).map(({ id, name }) => [id, name])).toEqual([
    [1, 'vmlinux'],
    [2, 'dummy'],
  ]);
  expect(await client.listObjects({ origins: ['user'] })).toEqual([]);
  expect(daemon.callsOf('iterateHandles').map(({ request }) => request.hold)).toEqual([false, false]);
});

test('an iteration that has become garbage ends, and closes its handles', async () => {
  await (async () => client.iterateHandles().next())();
  expect(heldCount(daemon)).toBeGreaterThan(0);
  await until(() => {
    collectGarbage();
    return heldCount(daemon) === 0;
  });
  expect(cancelled(daemon)).toEqual(['iterateHandles']);
});
