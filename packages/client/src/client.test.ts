import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { BtfError } from './btf-error.js';
import { BtfClient } from './client.js';
import { FakeDaemon } from './testing/fake-daemon.js';
import { rejection } from './testing/rejection.js';
import { tinyBtf } from './testing/tiny-btf.js';
import { until } from './testing/until.js';
import { userObjects } from './testing/user-objects.js';

const BYTES = tinyBtf('u32');

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
      digest: null,
      users: null,
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
  test('[C4] closes the handles that are open', async () => {
    await client.getHandleById(1);
    const closed = await client.getHandleById(2);
    await closed.close();
    await Promise.all([client.close(), client.close()]);
    expect(daemon.open.size).toBe(0);
    expect(daemon.closes).toEqual([['token-2'], ['token-1']]);
  });

  test('[C4] ends calls in progress', async () => {
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
