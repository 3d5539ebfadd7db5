import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { BtfError } from './btf-error.js';
import { BtfClient } from './client.js';
import type { Handle } from './handle.js';
import type { IteratedHandle } from './iterated-handle.js';
import { FakeDaemon, type FakeObject } from './testing/fake-daemon.js';
import { tinyBtf } from './testing/tiny-btf.js';
import { until } from './testing/until.js';

const BYTES = tinyBtf('u32');

function userObjects(count: number): FakeObject[] {
  return Array.from({ length: count }, (_, i) => ({ id: i + 3, name: '', bytes: BYTES }));
}

let daemon: FakeDaemon;
let client: BtfClient;

beforeEach(async () => {
  daemon = await FakeDaemon.start([
    { id: 1, name: 'vmlinux', bytes: BYTES },
    { id: 2, name: 'dummy', bytes: BYTES },
  ]);
  client = new BtfClient(daemon.address);
});

afterEach(async () => {
  await client.close();
  await daemon[Symbol.asyncDispose]();
});

async function visit(handles: AsyncIterable<IteratedHandle>, each: () => void): Promise<void> {
  for await (const _ of handles) each();
}

async function takeFirst(): Promise<Handle> {
  for await (const handle of client.iterateHandles()) return handle.take();
  throw new Error('no object');
}

/** What a promise was rejected with. */
async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect('resolved').toBe('rejected'),
    (error: unknown) => error,
  );
}

describe('loadHandle', () => {
  test('answers a handle on what was loaded', async () => {
    const handle = await client.loadHandle(BYTES, { ttl: 90_000, logSize: 4096 });
    expect(handle.info).toEqual({
      id: 1000,
      name: '',
      origin: 'user',
      isKernel: false,
      size: BYTES.length,
      removed: false,
      isVmlinux: false,
      isModule: false,
    });
    expect(handle.grantedTtl).toBe(60_000);
    expect(daemon.loaded).toMatchObject({ ttl: { seconds: 90n }, logSize: 4096, reportRejection: false });
    expect(await handle.rawBtf()).toEqual(BYTES);
  });

  test('is given more time than other calls', async () => {
    await client.loadHandle(BYTES);
    expect(daemon.calls.deadlines.get('loadHandle')).toBeGreaterThan(Date.now() + 60_000);
  });

  test('rejects with the verifier log', async () => {
    const metadata = { errno_name: 'EINVAL', log: 'Invalid name' };
    const refusal = { code: status.INVALID_ARGUMENT, reason: 'VERIFIER_REJECTED', metadata };
    daemon.calls.failNext('loadHandle', refusal);
    expect(await rejection(client.loadHandle(BYTES))).toMatchObject({
      reason: 'VERIFIER_REJECTED',
      verifierLog: { text: 'Invalid name', truncated: false, trueSize: null },
    });
  });
});

describe('tryLoadHandle', () => {
  test('answers a refusal as a result', async () => {
    daemon.rejection = {
      errno: 22,
      errnoName: 'EINVAL',
      log: { text: 'long', truncated: true, trueSize: 99 },
    };
    expect(await client.tryLoadHandle(BYTES)).toEqual({
      handle: null,
      rejection: { errno: 22, errnoName: 'EINVAL', log: { text: 'long', truncated: true, trueSize: 99 } },
    });
    expect(daemon.loaded?.reportRejection).toBe(true);
  });

  test('receives the longest log', async () => {
    const text = 'x'.repeat(4 * 1024 * 1024);
    daemon.rejection = { errno: 22, log: { text } };
    expect((await client.tryLoadHandle(BYTES)).rejection?.log.text).toHaveLength(text.length);
  });

  test('answers the handle otherwise', async () => {
    const { handle, rejection: refusal } = await client.tryLoadHandle(BYTES);
    expect(refusal).toBeNull();
    expect(handle?.info.id).toBe(1000);
  });
});

describe('a handle', () => {
  test('tells vmlinux from modules', async () => {
    const [vmlinux, module] = await Promise.all([client.getHandleById(1), client.getHandleById(2)]);
    expect([vmlinux.info.isVmlinux, vmlinux.info.isModule, vmlinux.info.origin]).toEqual([
      true,
      false,
      'vmlinux',
    ]);
    expect([module.info.isVmlinux, module.info.isModule, module.info.origin]).toEqual([
      false,
      true,
      'module',
    ]);
  });

  test('is closed once', async () => {
    const handle = await client.getHandleById(1);
    await Promise.all([handle.close(), handle.close()]);
    await handle.close();
    expect(daemon.closes).toEqual([['token-1']]);
    expect(daemon.open.size).toBe(0);
  });

  test('cannot be used after its close, and is not lost by it', async () => {
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

  test('is closed at the end of its scope', async () => {
    {
      await using handle = await client.getHandleById(1);
      expect(daemon.open.size).toBe(handle.info.id);
    }
    expect(daemon.open.size).toBe(0);
  });

  test('tells of a close that failed, but not at the end of a scope', async () => {
    const handle = await client.getHandleById(1);
    daemon.calls.failNext('closeHandles', { code: status.INTERNAL });
    expect(await rejection(handle.close())).toMatchObject({ code: status.INTERNAL });
    await handle[Symbol.asyncDispose]();
  });

  test('has clones that live on', async () => {
    const handle = await client.getHandleById(2);
    const clone = await handle.clone();
    await handle.close();
    expect((await clone.inspect()).info.name).toBe('dummy');
  });

  test('inspects the state of its lease', async () => {
    const handle = await client.getHandleById(1);
    expect(await handle.inspect()).toEqual({ info: handle.info, grantedTtl: 60_000, remainingTtl: 60_000 });
  });

  test('renews on demand', async () => {
    const handle = await client.getHandleById(1);
    expect(await handle.renew()).toBeGreaterThan(50_000);
    expect(daemon.renewals).toEqual([['token-1']]);
  });

  test('is renewed by itself, together with others', async () => {
    daemon.grantedTtl = 300;
    const handles = await Promise.all([client.getHandleById(1), client.getHandleById(2)]);
    await until(() => daemon.renewals.length >= 3);
    expect(daemon.renewals[0]?.toSorted()).toEqual(['token-1', 'token-2']);
    expect(handles.some(({ lost }) => lost.aborted)).toBe(false);
  });

  test('that the daemon let go of is lost at its next use', async () => {
    const handle = await client.getHandleById(1);
    daemon.open.clear();
    const error = await rejection(handle.inspect());
    expect(error).toMatchObject({ reason: 'HANDLE_NOT_FOUND' });
    expect(handle.lost.reason).toBe(error);
    expect(await rejection(handle.clone())).toBe(error);
    await handle.close();
    expect(daemon.closes).toEqual([]);
  });

  test('is lost when the daemon restarts', async () => {
    daemon.grantedTtl = 300;
    const handle = await client.getHandleById(1);
    daemon.restart();
    await until(() => handle.lost.aborted);
    expect(handle.lost.reason).toMatchObject({ reason: 'HANDLE_OF_EARLIER_DAEMON' });
    expect(await rejection(handle.renew())).toBe(handle.lost.reason);
  });
});

describe('iterateHandles', () => {
  test('visits objects in order, each open until the loop goes on', async () => {
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
    expect(daemon.open.size).toBe(0);
  });

  test('of two thousand objects closes in batches, by one call at a time', async () => {
    daemon.objects.push(...userObjects(2000));
    let count = 0;
    for await (const _ of client.iterateHandles()) count += 1;
    expect(count).toBe(2002);
    expect(daemon.mostHeld).toBeLessThanOrEqual(daemon.maxHeld);
    expect(daemon.calls.mostAtOnce.get('closeHandles')).toBe(1);
    expect(daemon.closes.flat()).toHaveLength(2002);
  });

  test('does not wait for handles to be closed', async () => {
    daemon.objects.push(...userObjects(8));
    const go = daemon.calls.stall('closeHandles');
    let count = 0;
    for await (const _ of client.iterateHandles()) {
      count += 1;
      if (count === 10) go();
    }
    const [first, ...rest] = Array.from({ length: 10 }, (_, i) => `token-${i + 1}`);
    await until(() => daemon.closes.length === 2);
    expect(daemon.closes).toEqual([[first], rest]);
  });

  test('passes the filter on', async () => {
    const names: string[] = [];
    for await (const handle of client.iterateHandles({ origins: ['module'] })) names.push(handle.info.name);
    for await (const handle of client.iterateHandles({ nameGlobs: ['vmlinux'] }))
      names.push(handle.info.name);
    for await (const handle of client.iterateHandles({ afterId: 1 })) names.push(handle.info.name);
    expect(names).toEqual(['dummy', 'vmlinux', 'dummy']);
  });

  test('left early ends the call, and with it what is held', async () => {
    daemon.objects.push(...userObjects(10));
    for await (const handle of client.iterateHandles()) if (handle.info.id === 2) break;
    await until(() => daemon.open.size === 0);
    expect(daemon.calls.cancelled).toEqual(['iterateHandles']);
  });

  test('left by an error passes it on, and ends the call', async () => {
    const error = new Error('in the loop');
    const visiting = visit(client.iterateHandles(), () => {
      throw error;
    });
    expect(await rejection(visiting)).toBe(error);
    await until(() => daemon.open.size === 0);
  });

  test("aborted rejects with the signal's reason, and ends the call", async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const handles = client.iterateHandles({ signal: controller.signal });
    expect(await rejection(visit(handles, () => controller.abort(reason)))).toBe(reason);
    await until(() => daemon.open.size === 0);
  });

  test('fails when handles cannot be closed', async () => {
    daemon.calls.failNext('closeHandles', { code: status.INTERNAL });
    const visiting = visit(client.iterateHandles(), () => {});
    expect(await rejection(visiting)).toMatchObject({ code: status.INTERNAL });
  });

  test('take keeps a handle beyond the iteration', async () => {
    for await (const handle of client.iterateHandles()) {
      if (!handle.info.isVmlinux) continue;
      const taken = await handle.take();
      expect(await handle.take()).toBe(taken);
      await until(() => daemon.held.size === 1);
    }
    expect([...daemon.open.values()].map(({ name }) => name)).toEqual(['vmlinux']);
    expect(daemon.closes.flat()).toEqual(['token-2']);
  });

  test('take can be repeated when its answer was lost', async () => {
    daemon.calls.loseNextAnswer('takeHandle');
    for await (const handle of client.iterateHandles({ origins: ['vmlinux'] })) {
      expect(await rejection(handle.take())).toMatchObject({ code: status.UNAVAILABLE });
      const taken = await handle.take();
      expect((await taken.inspect()).grantedTtl).toBe(60_000);
    }
    expect(daemon.open.size).toBe(1);
  });

  test('a handle whose taking failed for good is closed like others', async () => {
    daemon.calls.loseNextAnswer('takeHandle');
    for await (const handle of client.iterateHandles())
      if (handle.info.isVmlinux) await rejection(handle.take());
    await until(() => daemon.open.size === 0);
    expect(daemon.closes.flat()).toContain('token-1');
  });

  test('taking is finished before the iteration ends', async () => {
    const go = daemon.calls.stall('takeHandle');
    const found = takeFirst();
    setTimeout(go, 50);
    expect((await found).info.id).toBe(1);
    expect([...daemon.open.keys()]).toContain('token-1');
    await until(() => daemon.open.size === 1);
  });
});

test('listObjects holds nothing', async () => {
  expect((await client.listObjects()).map(({ id, name }) => [id, name])).toEqual([
    [1, 'vmlinux'],
    [2, 'dummy'],
  ]);
  expect(await client.listObjects({ origins: ['user'] })).toEqual([]);
  expect(daemon.mostHeld).toBe(0);
});

describe('findHandle', () => {
  test('answers the first match, and holds nothing else', async () => {
    daemon.objects.push(...userObjects(10));
    const handle = await client.findHandle(({ id }) => id >= 2);
    expect(handle.info.id).toBe(2);
    await until(() => daemon.open.size === 1);
    expect((await handle.inspect()).info.name).toBe('dummy');
  });

  test('takes a predicate that answers later', async () => {
    const handle = await client.findHandle(async (info) => Promise.resolve(info.isModule), { ttl: 5000 });
    expect(handle.info.name).toBe('dummy');
  });

  test('rejects with its own reason where there is no match', async () => {
    expect(await rejection(client.findHandle(() => false))).toMatchObject({
      code: status.NOT_FOUND,
      reason: 'NO_MATCH',
    });
    await until(() => daemon.open.size === 0);
  });

  test('passes on what its predicate throws', async () => {
    const error = new Error('in the predicate');
    const find = client.findHandle(() => {
      throw error;
    });
    expect(await rejection(find)).toBe(error);
    await until(() => daemon.open.size === 0);
  });
});

test('serverInfo is plain data, in milliseconds', async () => {
  expect(await client.serverInfo()).toEqual({
    version: '9.9.9',
    bootId: '',
    daemonEpoch: 'epoch-1',
    kernelRelease: '',
    machine: '',
    mode: 'full',
    btfDir: '',
    operations: [{ operation: 'load', available: false, reason: 'no CAP_BPF' }],
    capabilities: { sysAdmin: true, bpf: false },
    limits: {
      maxLoadMessageBytes: 0,
      maxMessageBytes: 0,
      maxBtfBytes: 0,
      minTtl: 1500,
      maxTtl: 0,
      defaultTtl: 0,
      maxHeldPerStream: 0,
      holdStallTimeout: 0,
      maxLogBytes: 0,
      maxTokens: 1000,
    },
  });
});

describe('a call', () => {
  test('tells the daemon its deadline, and fails when it passes', async () => {
    const go = daemon.calls.stall('getServerInfo');
    const start = Date.now();
    expect(await rejection(client.serverInfo({ timeout: 100 }))).toMatchObject({
      code: status.DEADLINE_EXCEEDED,
    });
    expect(daemon.calls.deadlines.get('getServerInfo')).toBeLessThan(start + 1000);
    go();
  });

  test('has a deadline where none is given', async () => {
    await client.getHandleById(1);
    const deadline = daemon.calls.deadlines.get('getHandleById') ?? Infinity;
    expect(Math.abs(deadline - Date.now() - 10_000)).toBeLessThan(2_000);
  });

  test("aborted rejects with the signal's reason, and is cancelled", async () => {
    const go = daemon.calls.stall('getHandleById');
    const controller = new AbortController();
    const call = client.getHandleById(1, { signal: controller.signal });
    await until(() => daemon.calls.deadlines.has('getHandleById'));
    const reason = new Error('enough');
    controller.abort(reason);
    expect(await rejection(call)).toBe(reason);
    await until(() => daemon.calls.cancelled.includes('getHandleById'));
    go();
  });

  test('on an aborted signal is not made', async () => {
    expect(await rejection(client.getHandleById(1, { signal: AbortSignal.abort() }))).toMatchObject({
      name: 'AbortError',
    });
    expect(daemon.calls.deadlines.has('getHandleById')).toBe(false);
  });

  test('shares its listener on a signal with all others, since Node warns of more than ten', async () => {
    const { signal } = new AbortController();
    const listen = jest.spyOn(signal, 'addEventListener');
    await Promise.all([
      client.serverInfo({ signal }),
      client.listObjects({ signal }),
      client.spec('vmlinux', { signal }),
    ]);
    for await (const handle of client.iterateHandles({ signal })) await handle.take({ signal });
    expect(listen).toHaveBeenCalledTimes(1);
  });

  test('says where no daemon answers', async () => {
    await using lonely = new BtfClient('unix:/nonexistent/btfd.sock');
    const error = await rejection(lonely.serverInfo());
    expect(error).toMatchObject({ code: status.UNAVAILABLE, reason: 'UNREACHABLE' });
    expect(String(error)).toContain('unix:/nonexistent/btfd.sock');
  });
});

describe('close', () => {
  test('closes the handles that are open', async () => {
    await client.getHandleById(1);
    const closed = await client.getHandleById(2);
    await closed.close();
    await Promise.all([client.close(), client.close()]);
    expect(daemon.open.size).toBe(0);
    expect(daemon.closes).toEqual([['token-2'], ['token-1']]);
  });

  test('ends calls in progress', async () => {
    const go = daemon.calls.stall('getServerInfo');
    const call = rejection(client.serverInfo());
    const iteration = client.iterateHandles();
    await iteration.next();
    await client.close();
    expect(await call).toMatchObject({ reason: 'CLIENT_CLOSED' });
    expect(await rejection(iteration.next().then(async () => iteration.next()))).toMatchObject({
      reason: 'CLIENT_CLOSED',
    });
    go();
  });

  test('lets handles be closed afterwards, and nothing else be done', async () => {
    const handle = await client.getHandleById(1);
    await client.close();
    expect(await rejection(client.serverInfo())).toMatchObject({ reason: 'CLIENT_CLOSED' });
    expect(await rejection(handle.clone())).toBeInstanceOf(BtfError);
    await handle.close();
  });

  test('succeeds where the daemon does not answer', async () => {
    await client.getHandleById(1);
    daemon.calls.failNext('closeHandles', { code: status.INTERNAL });
    await client.close();
    expect(daemon.closes).toEqual([]);
  });
});
