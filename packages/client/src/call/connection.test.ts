import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { credentials, InterceptingCall, type Interceptor, status } from '@grpc/grpc-js';
import { BtfClient } from '../client.js';
import { BtfError } from '../error/btf-error.js';
import { FakeDaemon, type MethodName } from '../fake-daemon/index.js';
import { FakeClock } from '../testing/fake-clock.js';
import { rejection, until } from '../testing/promises.js';
import { tinyBtf } from '../testing/tiny-btf.js';
import { type CallLimits, Connection } from './connection.js';

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

  test('in the middle of a transfer is repeated from its beginning', async () => {
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

  test('is repeated if its request was not sent', async () => {
    await daemon.stop();
    const handle = client.getHandleById(1);
    await daemon.restart();
    expect((await handle).info.name).toBe('vmlinux');
    expect(daemon.callsOf('getHandleById')).toHaveLength(1);
  });

  test('is repeated if the daemon is ending', async () => {
    daemon.failNext('loadHandle', SHUTTING_DOWN);
    expect((await client.loadHandle(BYTES)).info.origin).toBe('user');
  });

  test('is repeated as often as the client may', async () => {
    await using impatient = new BtfClient(daemon.address, { retries: 1 });
    for (let i = 0; i < 3; i++) daemon.failNext('getServerInfo', SHUTTING_DOWN);
    expect(await rejection(impatient.serverInfo())).toMatchObject(SHUTTING_DOWN);
    expect(daemon.callsOf('getServerInfo')).toHaveLength(2);
  });
});

describe('attempts', () => {
  const METHOD = 'getServerInfo';
  const away = (): BtfError => new BtfError({ ...SHUTTING_DOWN, message: 'away' });
  const busy = (retryDelay: number): BtfError =>
    new BtfError({
      code: status.RESOURCE_EXHAUSTED,
      reason: 'LOAD_QUEUE_FULL',
      message: 'busy',
      retryDelay,
    });

  let clock: FakeClock;
  let connection: Connection;
  /** The remaining time of each attempt. */
  let timeouts: (number | undefined)[];

  beforeEach(() => {
    clock = new FakeClock();
    timeouts = [];
    connection = new Connection(daemon.address, credentials.createInsecure(), { clock, random: () => 0 });
  });

  afterEach(async () => connection.close());

  /** Makes attempts that fail with these errors, one after the other, and then one that succeeds. */
  async function attempts(limits: CallLimits, ...errors: BtfError[]): Promise<void> {
    return connection.retrying(METHOD, limits, async ({ timeout }) => {
      timeouts.push(timeout);
      const error = errors.shift();
      if (error !== undefined) throw error;
    });
  }

  test('have one deadline, and pauses that double', async () => {
    const done = attempts({ timeout: 1_000 }, away(), away(), away());
    await clock.advance(700);
    await done;
    expect(timeouts).toEqual([1_000, 900, 700, 300]);
  });

  test('end before a pause that would exceed the deadline', async () => {
    const failed = rejection(attempts({ timeout: 300 }, away(), away(), away()));
    await clock.advance(100);
    expect(await failed).toMatchObject(SHUTTING_DOWN);
    expect(timeouts).toEqual([300, 200]);
  });

  test('without a deadline have none', async () => {
    const done = attempts({}, away());
    await clock.advance(100);
    await done;
    expect(timeouts).toEqual([Infinity, Infinity]);
  });

  test('never come sooner than the daemon requested', async () => {
    const done = attempts({}, busy(5_000));
    await clock.advance(4_999);
    expect(timeouts).toHaveLength(1);
    await clock.advance(1);
    await done;
    expect(timeouts).toHaveLength(2);
  });

  test('do not wait for a delay beyond the deadline', async () => {
    const failed = attempts({ timeout: 10_000 }, busy(60_000));
    expect(await rejection(failed)).toMatchObject({ reason: 'LOAD_QUEUE_FULL', retryDelay: 60_000 });
  });

  test('end at once when the call is aborted', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const failed = rejection(attempts({ signal: controller.signal }, away()));
    await until(() => clock.timers === 1);
    controller.abort(reason);
    expect(await failed).toBe(reason);
    expect([timeouts.length, clock.timers]).toEqual([1, 0]);
  });

  test('end at once when the client is closed', async () => {
    const failed = rejection(attempts({}, away()));
    await until(() => clock.timers === 1);
    await connection.close();
    expect(await failed).toMatchObject({ reason: 'CLIENT_CLOSED' });
    expect([timeouts.length, clock.timers]).toEqual([1, 0]);
  });
});

test('each attempt sends the remaining time as its deadline', async () => {
  daemon.failNext('getServerInfo', SHUTTING_DOWN);
  const end = Date.now() + 60_000;
  await client.serverInfo({ timeout: 60_000 });
  const deadlines = daemon.callsOf('getServerInfo').map(({ deadline }) => deadline);
  expect(deadlines).toHaveLength(2);
  // The first attempt began after `end` was computed, and the second has no more time than was left then.
  for (const deadline of deadlines) expect(deadline).toBeGreaterThanOrEqual(end);
});

/** Frames of HTTP/2: empty SETTINGS, and a GOAWAY with INTERNAL_ERROR, which is what Node sends after many resets. */
const SETTINGS = Buffer.from('000000040000000000', 'hex');
const GOAWAY = Buffer.from('0000080700000000000000000100000002', 'hex');

test('a connection that the daemon ends with an error of HTTP/2 counts as broken', async () => {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => {
      socket.write(SETTINGS);
      // The client now sends its call.
      socket.once('data', () => socket.write(GOAWAY));
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = Object(server.address());
  await using broken = new BtfClient(`127.0.0.1:${port}`, { retries: 0 });
  expect(await rejection(broken.serverInfo())).toMatchObject({
    code: status.UNAVAILABLE,
    reason: 'UNREACHABLE',
    cause: { code: status.INTERNAL },
  });
  server.close();
});

describe('metadata', () => {
  test('goes with every call', async () => {
    await using tagged = new BtfClient(daemon.address, { metadata: { 'x-request-id': '7' } });
    await tagged.serverInfo();
    await tagged.listObjects();
    expect(daemon.calls.map(({ metadata }) => metadata['x-request-id'])).toEqual(['7', '7']);
  });

  test('of a function is made for each call', async () => {
    let count = 0;
    await using traced = new BtfClient(daemon.address, {
      metadata: () => ({ traceparent: `00-${(count += 1)}` }),
    });
    await traced.serverInfo();
    await traced.serverInfo();
    expect(daemon.calls.map(({ metadata }) => metadata['traceparent'])).toEqual(['00-1', '00-2']);
  });

  test('that HTTP/2 does not allow is rejected by its key', async () => {
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

// JSON.parse returns a value of any type, as callers without a compiler pass them.
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
