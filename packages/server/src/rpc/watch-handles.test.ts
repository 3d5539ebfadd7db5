import { readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { describe, expect, test } from '@jest/globals';
import { ErrorReason, Origin, type WatchPosition } from '@btfd/api';
import { intBtf } from '../testing/btf-bytes.js';
import { callerAs } from '../testing/callers.js';
import { bpfError, FakeKernel } from '../testing/fake-kernel.js';
import { failureOf, reasonOf } from '../testing/service-error.js';
import { EPOCH, makeServices, type ServicesChoices } from '../testing/services.js';
import { TempDir } from '../testing/temp-dir.js';
import { Watching } from '../testing/watching.js';

const INTERVAL = 400;

async function setUp(choices: ServicesChoices = {}) {
  const kernel = new FakeKernel();
  kernel.add('vmlinux', intBtf('v'));
  kernel.add('xfs', intBtf('x'));
  kernel.addUsers(intBtf('u'));
  const services = await makeServices(kernel, choices);
  const { clock } = services;
  /** Lets the next look happen, and its events arrive. */
  const look = async () => {
    clock.advance(INTERVAL);
    await setImmediate();
  };
  return { kernel, services, clock, look };
}

const after = (sequence: number | bigint, daemonEpoch = EPOCH) => ({
  after: { daemonEpoch, sequence: BigInt(sequence) },
});

/** Returns a position for a request. */
function from(position: WatchPosition | undefined) {
  if (position === undefined) throw new Error('there was no position');
  return after(position.sequence, position.daemonEpoch);
}

describe('WatchHandles', () => {
  test('[W1] sends the present objects in id order, a marker, and then the changes', async () => {
    const { kernel, services, look } = await setUp();
    await using watching = new Watching(services);
    expect(await watching.sync()).toEqual(['present 1 vmlinux', 'present 2 xfs', 'present 3', 'synced']);
    kernel.add('ext4', intBtf('e'));
    await look();
    kernel.remove(2);
    kernel.addUsers(intBtf('w'));
    await look();
    expect(await watching.take(3)).toEqual(['added 5 ext4', 'removed 2 xfs (removed)', 'added 6']);
    expect(kernel.openCount).toBe(0);
  });

  test('[W12] sends viewers only the kernel’s objects, and refuses them the origin of users’ objects', async () => {
    const { kernel, services, look } = await setUp();
    await using watching = new Watching(services, {}, callerAs('viewer'));
    expect(await watching.sync()).toEqual(['present 1 vmlinux', 'present 2 xfs', 'synced']);
    kernel.addUsers(intBtf('w'));
    kernel.add('ext4', intBtf('e'));
    await look();
    expect(await watching.take(1)).toEqual(['added 6 ext4']);
    await using refused = new Watching(services, { origins: [Origin.USER] }, callerAs('viewer'));
    expect(await reasonOf(async () => refused.next())).toBe(ErrorReason.ROLE_FORBIDS);
  });

  test('sends the boot id, and with each event the whole info and a position', async () => {
    const { kernel, services, look } = await setUp();
    await using watching = new Watching(services, { origins: [Origin.MODULE] });
    const present = await watching.next();
    expect(present.position).toBeUndefined();
    expect(present.event.value).toMatchObject({ id: 2, name: 'xfs', origin: Origin.MODULE, isKernel: true });
    expect(present.event.value).toMatchObject({ size: intBtf('x').length, removed: false });
    const synced = await watching.next();
    const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    expect(synced.event.value).toMatchObject({ bootId });
    expect(synced.position).toMatchObject({ daemonEpoch: EPOCH, sequence: 3n });
    kernel.remove(2);
    await look();
    const removed = await watching.next();
    expect(removed.event.value).toMatchObject({ id: 2, name: 'xfs', size: intBtf('x').length });
    expect(removed.position).toMatchObject({ daemonEpoch: EPOCH, sequence: 4n });
  });

  test('can be filtered like an iteration; sequences also count filtered events', async () => {
    const { kernel, services, look } = await setUp();
    await using watching = new Watching(services, { origins: [Origin.MODULE], nameGlobs: ['x*', 'e*'] });
    expect(await watching.sync()).toEqual(['present 2 xfs', 'synced']);
    kernel.addUsers(intBtf('w'));
    kernel.add('btrfs', intBtf('b'));
    kernel.add('ext4', intBtf('e'));
    await look();
    expect(await watching.take(1)).toEqual(['added 7 ext4']);
    expect(watching.position?.sequence).toBe(6n);
  });

  test('of a module that is loaded again sends its removal before its addition', async () => {
    const { kernel, services, look } = await setUp();
    await using watching = new Watching(services);
    await watching.sync();
    kernel.remove(2);
    kernel.add('xfs', intBtf('x'));
    await look();
    expect(await watching.take(2)).toEqual(['removed 2 xfs (removed)', 'added 5 xfs']);
  });

  test('[W3] misses objects that come and go between two lists, or before they can be opened', async () => {
    const { kernel, services, look } = await setUp();
    await using watching = new Watching(services);
    await watching.sync();
    kernel.remove(kernel.addUsers(intBtf('w')));
    kernel.vanishing.add(kernel.addUsers(intBtf('w')));
    await look();
    kernel.add('ext4', intBtf('e'));
    await look();
    expect(await watching.take(1)).toEqual(['added 7 ext4']);
    expect(watching.position?.sequence).toBe(4n);
  });

  test('[W4] sends objects that clients load, but not those of the daemon’s own probes', async () => {
    const { kernel, services, look } = await setUp();
    await using watching = new Watching(services);
    await watching.sync();
    let go = (): void => {};
    kernel.loadGate = new Promise((resolve) => {
      go = resolve;
    });
    const probing = services.features.all();
    // During a load the object is in the kernel's list, and nobody knows yet whether it belongs to a probe.
    const id = kernel.addUsers(intBtf('w'));
    let arrived = false;
    const added = watching.take(1).finally(() => {
      arrived = true;
    });
    for (let round = 0; round < 3; round++) await look();
    expect(arrived).toBe(false);
    go();
    await probing;
    await look();
    expect(await added).toEqual([`added ${id}`]);
    using turn = await services.loads.turn(0, new AbortController().signal);
    const client = await turn.load(intBtf('c'), 0, { acceptedMs: 1, refusedMs: 3 });
    const clientsId = client.info().id;
    await look();
    expect(await watching.take(1)).toEqual([`added ${clientsId}`]);
    client.close();
    await look();
    expect(await watching.take(1)).toEqual([`removed ${clientsId} (removed)`]);
  });

  test.each([
    ['an empty glob', { nameGlobs: [''] }, 'name_globs[0]'],
    ['an interval of nothing', { bookmarkInterval: durationFromMs(0) }, 'bookmark_interval'],
    ['a position without epoch', after(0, ''), 'after.daemon_epoch'],
    ['a position ahead of every event', after(4), 'after.sequence'],
    ['the largest position', after(2n ** 64n - 1n), 'after.sequence'],
  ])('refuses %s', async (_, request, field) => {
    const { services, clock } = await setUp();
    const error = await failureOf(() => new Watching(services, request).next());
    expect(error.reason).toBe(ErrorReason.INVALID_REQUEST);
    expect(error.violations.map((violation) => violation.field)).toEqual([field]);
    expect(clock.timers).toBe(0);
  });
});

describe('A watch that was cut off', () => {
  test('[W5] continues after its position: with past changes, a marker, and new changes', async () => {
    const { kernel, services, look } = await setUp();
    const first = new Watching(services);
    await using other = new Watching(services);
    await first.sync();
    await other.sync();
    kernel.add('ext4', intBtf('e'));
    await look();
    await first.take(1);
    await first[Symbol.asyncDispose]();
    kernel.remove(2);
    await look();
    kernel.add('btrfs', intBtf('b'));
    await look();
    await using second = new Watching(services, from(first.position));
    expect(await second.sync()).toEqual(['removed 2 xfs (removed)', 'added 6 btrfs', 'synced']);
    kernel.remove(6);
    await look();
    expect(await second.take(1)).toEqual(['removed 6 btrfs (removed)']);
    expect(await other.take(4)).toEqual([
      'added 5 ext4',
      'removed 2 xfs (removed)',
      'added 6 btrfs',
      'removed 6 btrfs (removed)',
    ]);
  });

  test('continues though nobody watched meanwhile, but misses objects that came and went', async () => {
    const { kernel, services, clock, look } = await setUp();
    const first = new Watching(services);
    await first.sync();
    await first[Symbol.asyncDispose]();
    expect(clock.timers).toBe(0);
    kernel.add('ext4', intBtf('e'));
    await look();
    kernel.remove(5);
    kernel.remove(3);
    await using second = new Watching(services, from(first.position));
    expect(await second.sync()).toEqual(['removed 3 (removed)', 'synced']);
  });

  test('continues with another filter, or from the beginning', async () => {
    const { services } = await setUp();
    await using watching = new Watching(services, { ...after(0), origins: [Origin.VMLINUX] });
    expect(await watching.sync()).toEqual(['added 1 vmlinux', 'synced']);
  });

  test('[W6] gets WATCH_HISTORY_GONE if its position is from another run or too old', async () => {
    const { kernel, services, look, clock } = await setUp({ limits: { watchHistory: 4 } });
    const otherRun = await failureOf(() => new Watching(services, after(0, 'fedcba9876543210')).next());
    expect([otherRun.reason, otherRun.metadata]).toEqual([
      ErrorReason.WATCH_HISTORY_GONE,
      { daemon_epoch: EPOCH },
    ]);
    const first = new Watching(services);
    await first.sync();
    for (let i = 0; i < 2; i++) kernel.add(`m${i}`, intBtf('m'));
    await look();
    // Five events: the last four are remembered.
    expect(await reasonOf(() => new Watching(services, after(0)).next())).toBe(
      ErrorReason.WATCH_HISTORY_GONE,
    );
    await using second = new Watching(services, after(1));
    expect(await second.sync()).toHaveLength(5);
    await first[Symbol.asyncDispose]();
    await second[Symbol.asyncDispose]();
    expect(clock.timers).toBe(0);
  });
});

describe('A watch in which nothing happens', () => {
  test.each([
    ['of 30 s', {}, 30_000],
    ['of the requested interval', { bookmarkInterval: durationFromMs(5_000) }, 5_000],
    ['of a second if less is requested', { bookmarkInterval: durationFromMs(1) }, 1_000],
  ])('[W8] has a bookmark after each silence %s', async (_, request, interval) => {
    const { services, clock, kernel } = await setUp();
    await using watching = new Watching(services, { ...request, nameGlobs: ['xfs'] });
    await watching.sync();
    const messages: string[] = [];
    const reading = watching.take(2).then((texts) => messages.push(...texts));
    const pass = async (ms: number) => {
      for (let passed = 0; passed < ms; passed += 100) {
        clock.advance(100);
        await setImmediate();
      }
    };
    // An event that the filter leaves out is not a sign of life, but moves the position.
    kernel.addUsers(intBtf('w'));
    await pass(interval - 100);
    expect(watching.position?.sequence).toBe(3n);
    await pass(100);
    expect(watching.position?.sequence).toBe(4n);
    await pass(interval);
    await reading;
    expect(messages).toEqual(['bookmark', 'bookmark']);
  });
});

describe('A watcher', () => {
  test('[W7] that does not read gets WATCHER_TOO_SLOW once its next event is forgotten', async () => {
    const { kernel, services, look, clock } = await setUp({ limits: { watchHistory: 4 } });
    const slow = new Watching(services);
    await using quick = new Watching(services);
    await slow.sync();
    await quick.sync();
    for (let i = 0; i < 5; i++) {
      kernel.add(`m${i}`, intBtf('m'));
      await look();
      await quick.take(1);
    }
    const error = await failureOf(() => slow.next());
    expect([error.reason, error.metadata]).toEqual([ErrorReason.WATCHER_TOO_SLOW, { limit: '4' }]);
    await quick[Symbol.asyncDispose]();
    expect(clock.timers).toBe(0);
  });

  test('that is cancelled while it waits ends with the reason, and leaves nothing open', async () => {
    const { services, clock } = await setUp();
    const watching = new Watching(services);
    await watching.sync();
    const next = watching.next();
    await setImmediate();
    watching.cancel(new Error('gone'));
    await expect(next).rejects.toThrow('gone');
    expect(clock.timers).toBe(0);
  });

  test('gets the error if the objects cannot be listed, and can continue later', async () => {
    const { kernel, services, look, clock } = await setUp();
    const first = new Watching(services);
    await first.sync();
    kernel.add('ext4', intBtf('e'));
    kernel.failures.open = bpfError('BPF_BTF_GET_FD_BY_ID', 'EMFILE');
    const failing = expect(first.next()).rejects.toThrow('EMFILE');
    await look();
    await failing;
    expect(clock.timers).toBe(0);
    await expect(new Watching(services).next()).rejects.toThrow('EMFILE');
    delete kernel.failures.open;
    await using second = new Watching(services, from(first.position));
    expect(await second.sync()).toEqual(['added 5 ext4', 'synced']);
  });
});

describe('If the kernel’s ids cannot be listed', () => {
  test('[W9] files are watched by name, and a file that is replaced is another object', async () => {
    using dir = new TempDir();
    for (const name of ['xfs', 'vmlinux']) dir.write(name, intBtf(name));
    const { services, look } = await setUp({ dir: dir.path, filesOnly: true });
    await using watching = new Watching(services);
    expect(await watching.sync()).toEqual(['present 0 vmlinux', 'present 0 xfs', 'synced']);
    dir.write('ext4', intBtf('e'));
    await look();
    expect(await watching.take(1)).toEqual(['added 0 ext4']);
    dir.write('xfs', intBtf('longer'));
    await look();
    expect(await watching.take(2)).toEqual(['removed 0 xfs (removed)', 'added 0 xfs']);
    renameSync(dir.write('.new', intBtf('other!')), join(dir.path, 'xfs'));
    await look();
    expect(await watching.take(2)).toEqual(['removed 0 xfs (removed)', 'added 0 xfs']);
  });

  test('vmlinux is a file until it has an id', async () => {
    using dir = new TempDir();
    dir.write('vmlinux', intBtf('vmlinux'));
    const kernel = new FakeKernel();
    const services = await makeServices(kernel, { dir: dir.path });
    const look = async () => {
      services.clock.advance(INTERVAL);
      await setImmediate();
    };
    await using watching = new Watching(services);
    expect(await watching.sync()).toEqual(['present 0 vmlinux', 'synced']);
    const { parses } = kernel;
    await look();
    // A kernel that does not parse its BTF on request is not asked again and again.
    expect(kernel.parses).toBe(parses);
    kernel.add('vmlinux', intBtf('vmlinux'));
    await look();
    expect(await watching.take(2)).toEqual(['removed 0 vmlinux (removed)', 'added 2 vmlinux']);
  });
});
