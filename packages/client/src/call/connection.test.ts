import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { InterceptingCall, type Interceptor, status } from '@grpc/grpc-js';
import { BtfClient } from '../client.js';
import { FakeDaemon, type MethodName } from '../fake-daemon/index.js';
import { rejection } from '../testing/rejection.js';
import { tinyBtf } from '../testing/tiny-btf.js';
import { until } from '../testing/until.js';

const BYTES = tinyBtf('u32');
const UNAVAILABLE = { code: status.UNAVAILABLE };
const SHUTTING_DOWN = { code: status.UNAVAILABLE, reason: 'SHUTTING_DOWN' } as const;

let daemon: FakeDaemon;
let client: BtfClient;

beforeEach(async () => {
  daemon = await FakeDaemon.start({ objects: [{ name: 'vmlinux', btf: BYTES }] });
  client = new BtfClient(daemon.address);
});

afterEach(async () => {
  await client.close();
  await daemon.stop();
});

describe('a call that fails with UNAVAILABLE', () => {
  test.each<[MethodName, () => Promise<unknown>]>([
    ['getServerInfo', async () => client.serverInfo()],
    ['iterateHandles', async () => client.listObjects()],
    ['iterateHandles', async () => client.iterateHandles().next()],
    ['spec', async () => client.spec('vmlinux')],
    ['spec', async () => client.cHeader('vmlinux')],
    ['resolveMembers', async () => client.resolveMembers('vmlinux', [])],
  ])('%s is repeated, since that does no harm', async (method, call) => {
    daemon.failNext(method, UNAVAILABLE);
    await call();
    expect(daemon.callsOf(method)).toHaveLength(2);
  });

  test('amid a transfer is repeated from its beginning', async () => {
    daemon.loseNextAnswer('spec');
    const header = await client.cHeader('vmlinux');
    daemon.loseNextAnswer('spec');
    expect((await client.spec('vmlinux')).typesByName('u32')).toHaveLength(1);
    expect(daemon.callsOf('spec')).toHaveLength(4);
    expect(header.match(/u32/g)).toEqual((await client.cHeader('vmlinux')).match(/u32/g));
  });

  test.each<[MethodName, () => Promise<unknown>]>([
    ['getHandleById', async () => client.getHandleById(1)],
    ['loadHandle', async () => client.loadHandle(BYTES)],
  ])('%s is not repeated, since it may have opened a handle', async (method, call) => {
    daemon.loseNextAnswer(method);
    expect(await rejection(call())).toMatchObject({ reason: 'UNREACHABLE' });
    expect(daemon.callsOf(method)).toHaveLength(1);
  });

  test('is repeated because its request was not sent', async () => {
    await daemon.stop();
    const handle = client.getHandleById(1);
    await daemon.restart();
    expect((await handle).info.name).toBe('vmlinux');
    expect(daemon.callsOf('getHandleById')).toHaveLength(1);
  });

  test('is repeated where the daemon that answered ends', async () => {
    daemon.failNext('loadHandle', SHUTTING_DOWN);
    expect((await client.loadHandle(BYTES)).info.origin).toBe('user');
  });

  test('is repeated so often as the client may', async () => {
    await using impatient = new BtfClient(daemon.address, { retries: 1 });
    for (let i = 0; i < 3; i++) daemon.failNext('getServerInfo', SHUTTING_DOWN);
    expect(await rejection(impatient.serverInfo())).toMatchObject(SHUTTING_DOWN);
    expect(daemon.callsOf('getServerInfo')).toHaveLength(2);
  });

  test('is not repeated where its deadline comes before', async () => {
    daemon.failNext('getServerInfo', SHUTTING_DOWN);
    expect(await rejection(client.serverInfo({ timeout: 50 }))).toMatchObject(SHUTTING_DOWN);
    expect(daemon.callsOf('getServerInfo')).toHaveLength(1);
  });

  test('has one deadline for all its attempts', async () => {
    daemon.failNext('getServerInfo', SHUTTING_DOWN);
    await client.serverInfo();
    const [first, second] = daemon.callsOf('getServerInfo').map(({ deadline }) => deadline);
    expect(Math.abs((second ?? 0) - (first ?? 0))).toBeLessThan(50);
  });
});

describe('between two attempts', () => {
  const BUSY = { code: status.RESOURCE_EXHAUSTED, reason: 'LOAD_QUEUE_FULL', retryDelay: 5_000 } as const;

  test('a call that is aborted rejects at once', async () => {
    daemon.failNext('loadHandle', BUSY);
    const controller = new AbortController();
    const reason = new Error('enough');
    const load = client.loadHandle(BYTES, { signal: controller.signal });
    await until(() => daemon.callsOf('loadHandle')[0]?.state === 'failed');
    setTimeout(() => controller.abort(reason), 20);
    expect(await rejection(load)).toBe(reason);
  });

  test('a call whose client is closed rejects at once', async () => {
    daemon.failNext('loadHandle', BUSY);
    const load = rejection(client.loadHandle(BYTES));
    await until(() => daemon.callsOf('loadHandle')[0]?.state === 'failed');
    setTimeout(() => void client.close(), 20);
    expect(await load).toMatchObject({ reason: 'CLIENT_CLOSED' });
  });

  test('as much time passes as the daemon asked for', async () => {
    daemon.failNext('loadHandle', { ...BUSY, retryDelay: 300 });
    await client.loadHandle(BYTES);
    const [first, second] = daemon.callsOf('loadHandle');
    expect((second?.startedAt ?? 0) - (first?.endedAt ?? 0)).toBeGreaterThanOrEqual(299);
  });
});

// Node's HTTP/2 ends a connection with an error after a thousand resets of streams in short time.
test('a connection that ends with an error of HTTP/2 is one that broke', async () => {
  await using once = new BtfClient(daemon.address, { retries: 0 });
  const leave = async (): Promise<void> => {
    for await (const _ of once.iterateHandles()) break;
  };
  const leaveOften = async (): Promise<void> => {
    for (let i = 0; i < 2000; i++) await leave();
  };
  expect(await rejection(leaveOften())).toMatchObject({ code: status.UNAVAILABLE, reason: 'UNREACHABLE' });
  await leave();
});

test('a daemon that asks for a delay beyond the deadline is not waited for', async () => {
  const busy = { code: status.RESOURCE_EXHAUSTED, reason: 'OUT_OF_FILES', retryDelay: 60_000 } as const;
  daemon.failNext('getHandleById', busy);
  expect(await rejection(client.getHandleById(1))).toMatchObject(busy);
});

describe('metadata', () => {
  test('goes with every call', async () => {
    await using tagged = new BtfClient(daemon.address, { metadata: { 'x-request-id': '7' } });
    await tagged.serverInfo();
    await tagged.listObjects();
    expect(daemon.calls.map(({ metadata }) => metadata['x-request-id'])).toEqual(['7', '7']);
  });

  test('is asked for at each call', async () => {
    let count = 0;
    await using traced = new BtfClient(daemon.address, {
      metadata: () => ({ traceparent: `00-${(count += 1)}` }),
    });
    await traced.serverInfo();
    await traced.serverInfo();
    expect(daemon.calls.map(({ metadata }) => metadata['traceparent'])).toEqual(['00-1', '00-2']);
  });

  test('that HTTP/2 does not take is refused by name', async () => {
    await using bad = new BtfClient(daemon.address, { metadata: () => ({ 'no spaces': 'x' }) });
    expect(await rejection(bad.serverInfo())).toMatchObject({
      reason: 'INVALID_REQUEST',
      fieldViolations: [{ field: 'metadata.no spaces' }],
    });
  });
});

test('interceptors see every attempt, and can change what is sent', async () => {
  const paths: string[] = [];
  const tag: Interceptor = (options, nextCall) => {
    paths.push(options.method_definition.path);
    return new InterceptingCall(nextCall(options), {
      start: (metadata, listener, next) => {
        metadata.set('x-tag', 'tagged');
        next(metadata, listener);
      },
    });
  };
  daemon.failNext('getServerInfo', UNAVAILABLE);
  await using intercepted = new BtfClient(daemon.address, { interceptors: [tag] });
  await intercepted.serverInfo();
  expect(paths).toEqual(['/btf.v1.BtfService/GetServerInfo', '/btf.v1.BtfService/GetServerInfo']);
  expect(daemon.calls.map(({ metadata }) => metadata['x-tag'])).toEqual(['tagged', 'tagged']);
});

// JSON.parse answers what a caller without types can give for anything.
test.each([
  ['address', () => new BtfClient('')],
  ['retries', () => new BtfClient('unix:/x', { retries: -1 })],
  ['retries', () => new BtfClient('unix:/x', { retries: JSON.parse('"3"') })],
  ['specCacheBytes', () => new BtfClient('unix:/x', { specCacheBytes: NaN })],
  ['specCacheDirBytes', () => new BtfClient('unix:/x', { specCacheDirBytes: -5 })],
])('the option %s is checked', (field, make) => {
  expect(make).toThrow(
    expect.objectContaining({
      reason: 'INVALID_REQUEST',
      fieldViolations: [expect.objectContaining({ field })],
    }),
  );
});
