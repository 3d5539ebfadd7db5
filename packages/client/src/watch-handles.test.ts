import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Origin, type WatchHandlesRequest } from '@btfd/api';
import { status } from '@grpc/grpc-js';
import type { BtfErrorReason } from './error/btf-error.js';
import { BtfClient } from './client.js';
import { Session } from './session.js';
import { collectGarbage } from './testing/collect-garbage.js';
import { FakeClock } from './testing/fake-clock.js';
import { FakeDaemon, type FakeFailure } from './fake-daemon/index.js';
import { cancelled } from './testing/daemon-calls.js';
import { rejection, until } from './testing/promises.js';
import { tinyBtf } from './testing/tiny-btf.js';
import type { WatchEvent } from './object/watched-objects.js';
import { watchHandles } from './watch-handles.js';

const BYTES = tinyBtf('u32');
const object = (id: number, name = '') => ({ id, name, btf: BYTES });

let daemon: FakeDaemon;
let client: BtfClient;

beforeEach(async () => {
  daemon = await FakeDaemon.start({ objects: [object(1, 'vmlinux'), object(2, 'dummy')] });
  client = new BtfClient(daemon.address);
});

afterEach(async () => {
  await client.close();
  await daemon[Symbol.asyncDispose]();
});

function requests(): WatchHandlesRequest[] {
  return daemon.callsOf('watchHandles').map(({ request }) => request);
}

/** Returns the number of failed calls. */
function failures(): number {
  return daemon.callsOf('watchHandles').filter(({ state }) => state === 'failed').length;
}

/** Returns the next events in short form. */
async function take(events: AsyncGenerator<WatchEvent, void>, count: number): Promise<string[]> {
  const texts: string[] = [];
  while (texts.length < count) {
    const { value } = await events.next();
    if (value === undefined) throw new Error('the watch ended');
    texts.push(
      value.type === 'synced'
        ? `synced${value.relisted ? ' (relisted)' : ''}`
        : `${value.type} ${value.info.id}${value.info.removed ? ' (removed)' : ''}`,
    );
  }
  return texts;
}

/** Returns a watch that is synced. */
async function synced(): Promise<AsyncGenerator<WatchEvent, void>> {
  const events = client.watchHandles();
  expect(await take(events, 3)).toEqual(['present 1', 'present 2', 'synced']);
  return events;
}

test('a watch reports the objects that exist, then those that come and go', async () => {
  const seen: WatchEvent[] = [];
  for await (const event of client.watchHandles()) {
    seen.push(event);
    if (event.type === 'synced') daemon.addObject(object(3, 'late'));
    if (event.type === 'added') daemon.removeObject(2);
    if (event.type === 'removed') break;
  }
  expect(seen.map(({ type }) => type)).toEqual(['present', 'present', 'synced', 'added', 'removed']);
  expect(seen[0]).toMatchObject({ info: { id: 1, isVmlinux: true, origin: 'vmlinux' } });
  expect(seen[4]).toMatchObject({ info: { id: 2, name: 'dummy', removed: true } });
  await until(() => cancelled(daemon).includes('watchHandles'));
});

test('a watch passes the filter on, and rejects a wrong one', async () => {
  const events = client.watchHandles({ origins: ['module'], nameGlobs: ['d*'] });
  await events.next();
  expect(requests()[0]).toMatchObject({ origins: [Origin.MODULE], nameGlobs: ['d*'] });
  await events.return();
  for (const options of [{ origins: ['modul'] }, { nameGlobs: 'd*' }]) {
    const wrong: object = options;
    expect(await rejection(client.watchHandles(wrong).next())).toMatchObject({ reason: 'INVALID_REQUEST' });
  }
});

test('[W10] a watch that is cut off resumes after the last event', async () => {
  const events = await synced();
  daemon.addObject(object(3));
  expect(await take(events, 1)).toEqual(['added 3']);
  daemon.cutOff('watchHandles');
  daemon.addObject(object(4));
  daemon.removeObject(3);
  expect(await take(events, 2)).toEqual(['added 4', 'removed 3 (removed)']);
  expect(requests()[1]?.after).toMatchObject({ daemonEpoch: daemon.epoch, sequence: 3n });
});

test.each<[string, () => Promise<void>, FakeFailure | undefined]>([
  ['the history is gone', async () => daemon.forgetEvents(), undefined],
  ['it was too slow', async () => {}, { code: status.RESOURCE_EXHAUSTED, reason: 'WATCHER_TOO_SLOW' }],
  ['the daemon was restarted', async () => daemon.restart(), undefined],
])(
  '[W10] a watch lists the objects again if %s, and reports each difference once',
  async (_, happen, failure) => {
    const events = await synced();
    daemon.addObject(object(3));
    expect(await take(events, 1)).toEqual(['added 3']);
    // The next call waits until all this has happened.
    const go = daemon.stall('watchHandles');
    daemon.cutOff('watchHandles', failure);
    daemon.removeObject(2);
    daemon.addObject(object(4));
    daemon.addObject(object(5));
    daemon.removeObject(5);
    await happen();
    go();
    expect(await take(events, 3)).toEqual(['removed 2 (removed)', 'added 4', 'synced (relisted)']);
    daemon.removeObject(4);
    expect(await take(events, 1)).toEqual(['removed 4 (removed)']);
  },
);

test('a watch whose list is cut off begins the list again, and reports each difference once', async () => {
  const events = await synced();
  daemon.failNext('watchHandles', { code: status.OUT_OF_RANGE, reason: 'WATCH_HISTORY_GONE' });
  daemon.failNext('watchHandles', { code: status.UNAVAILABLE });
  daemon.cutOff('watchHandles');
  daemon.removeObject(1);
  expect(await take(events, 2)).toEqual(['removed 1 (removed)', 'synced (relisted)']);
  const listed = requests().map(({ after }) => after === undefined);
  expect(listed).toEqual([true, false, true, true]);
});

test('[W11] after another boot all known objects went, and all listed objects came', async () => {
  const events = await synced();
  await daemon.restart({ reboot: true });
  expect(await take(events, 5)).toEqual([
    'removed 1 (removed)',
    'removed 2 (removed)',
    'added 1',
    'added 2',
    'synced (relisted)',
  ]);
});

test('a client that watches a restarted daemon loses its handles at once', async () => {
  const handle = await client.getHandleById(1);
  const events = await synced();
  await daemon.restart();
  expect(await take(events, 1)).toEqual(['synced (relisted)']);
  await until(() => handle.lost.aborted);
  expect(handle.lost.reason).toMatchObject({ reason: 'HANDLE_OF_EARLIER_DAEMON' });
});

test('a watch throws every error before it is synced', async () => {
  daemon.failNext('watchHandles', { code: status.UNAVAILABLE });
  expect(await rejection(client.watchHandles().next())).toMatchObject({ code: status.UNAVAILABLE });
});

test.each<[string, status, BtfErrorReason | null]>([
  ['PERMISSION_DENIED', status.PERMISSION_DENIED, 'DAEMON_LACKS_CAPABILITY'],
  ['INTERNAL of the daemon', status.INTERNAL, 'INTERNAL'],
  ['UNIMPLEMENTED', status.UNIMPLEMENTED, null],
])('a watch throws %s, which a retry cannot fix', async (_, code, reason) => {
  const events = await synced();
  daemon.cutOff('watchHandles', { code, reason });
  expect(await rejection(events.next())).toMatchObject({ code });
  expect(requests()).toHaveLength(1);
});

test.each<[string, FakeFailure]>([
  ['of a stream that was reset', { code: status.CANCELLED }],
  ['of files', { code: status.RESOURCE_EXHAUSTED, reason: 'OUT_OF_FILES' }],
  ['of a proxy', { code: status.INTERNAL }],
])('a watch survives the failure %s', async (_, failure) => {
  const events = await synced();
  daemon.cutOff('watchHandles', failure);
  daemon.addObject(object(3));
  expect(await take(events, 1)).toEqual(['added 3']);
});

test('a watch pauses longer after each failure, at most 5 s, and 0.1 s again after it was synced', async () => {
  const clock = new FakeClock();
  const session = new Session(daemon.address, {}, clock);
  const events = watchHandles(session, {});
  await take(events, 3);
  /** Returns the time until the next attempt. */
  const delay = async (attempt: () => number): Promise<number> => {
    const before = attempt();
    await until(() => clock.timers === 1);
    const start = clock.now();
    while (clock.timers === 1) await clock.advance(50);
    await until(() => attempt() > before);
    return clock.now() - start;
  };
  const next = events.next();
  const fails = 8;
  for (let i = 0; i < fails; i++) daemon.failNext('watchHandles', { code: status.UNAVAILABLE });
  daemon.cutOff('watchHandles');
  const failed = () => failures() - 1;
  const delays: number[] = [];
  while (delays.length < fails) delays.push(await delay(failed));
  for (const [index, ms] of delays.entries()) {
    const longest = Math.min(100 * 2 ** index, 5_000);
    expect(ms).toBeGreaterThanOrEqual(longest / 2);
    expect(ms).toBeLessThanOrEqual(longest + 50);
  }
  await delay(() => requests().length);
  daemon.addObject(object(3));
  await next;
  const after = events.next();
  daemon.cutOff('watchHandles');
  expect(await delay(() => requests().length)).toBeLessThanOrEqual(150);
  daemon.addObject(object(4));
  await after;
  await events.return();
  await session.close();
});

test('a watch aborted rejects with the signal’s reason, connected or not', async () => {
  for (const cut of [false, true]) {
    const controller = new AbortController();
    const reason = new Error('enough');
    const events = client.watchHandles({ signal: controller.signal });
    await take(events, 3);
    const next = rejection(events.next());
    if (cut) {
      for (let i = 0; i < 9; i++) daemon.failNext('watchHandles', { code: status.UNAVAILABLE });
      daemon.cutOff('watchHandles');
      await until(() => failures() > 1);
    }
    controller.abort(reason);
    expect(await next).toBe(reason);
  }
});

test('a watch ends with its client, connected or not', async () => {
  for (const cut of [false, true]) {
    const own = new BtfClient(daemon.address);
    const events = own.watchHandles();
    await take(events, 3);
    const next = rejection(events.next());
    if (cut) {
      for (let i = 0; i < 9; i++) daemon.failNext('watchHandles', { code: status.UNAVAILABLE });
      daemon.cutOff('watchHandles');
      await until(() => failures() > 1);
    }
    await own.close();
    expect(await next).toMatchObject({ reason: 'CLIENT_CLOSED' });
  }
});

test('a watch that has become garbage ends', async () => {
  await (async () => client.watchHandles().next())();
  await until(() => {
    collectGarbage();
    return cancelled(daemon).length > 0;
  });
  expect(cancelled(daemon)).toEqual(['watchHandles']);
});
