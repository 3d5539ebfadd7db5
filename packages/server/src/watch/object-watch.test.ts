import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import type { ObjectKey, ObjectKeys } from './object-keys.js';
import { intBtf } from '../testing/btf-bytes.js';
import { FakeKernel } from '../testing/fake-kernel.js';
import { ManualClock } from '../testing/manual-clock.js';
import { makeServices } from '../testing/services.js';
import { ObjectWatch } from './object-watch.js';

const INTERVAL = 400;
const LIMITS = { watchIntervalMs: INTERVAL, watchHistory: 16 };

/** Keys of a list that a test changes, with the cost of each look. */
class CountedKeys implements Pick<ObjectKeys, 'prepare' | 'keys' | 'info'> {
  there: number[] = [];
  looks = 0;
  infos = 0;
  prepared = 0;
  /** Keys of objects that cannot be opened. */
  readonly failing = new Set<number>();

  prepare(): void {
    this.prepared += 1;
  }

  *keys(): Generator<ObjectKey, void, void> {
    this.looks += 1;
    yield* this.there;
  }

  info(key: ObjectKey) {
    this.infos += 1;
    if (this.failing.has(Number(key))) throw new Error('cannot be opened');
    return { id: Number(key), name: '', kernelBtf: false, size: 1 };
  }
}

function setUp(clock = new ManualClock()) {
  const keys = new CountedKeys();
  const watch = new ObjectWatch(keys, LIMITS, clock);
  const tick = async () => {
    clock.advance(INTERVAL);
    await setImmediate();
  };
  return { keys, clock, watch, tick };
}

describe('One list of the objects per interval', () => {
  test('[W3] serves any number of watchers, and opens no object while nothing changes', async () => {
    const { keys, watch, tick } = setUp();
    keys.there = [1, 2, 3];
    const watchers = await Promise.all(Array.from({ length: 100 }, () => watch.open()));
    // Watchers that start during the first look share the second.
    expect([keys.looks, keys.infos, keys.prepared]).toEqual([1, 3, 1]);
    for (let round = 0; round < 10; round++) await tick();
    expect([keys.looks, keys.infos]).toEqual([11, 3]);
    for (const watcher of watchers) watcher[Symbol.dispose]();
  });

  test('[W3] happens only while there are watchers', async () => {
    const { keys, clock, watch, tick } = setUp();
    await tick();
    expect(keys.looks).toBe(0);
    const [first, second] = [await watch.open(), await watch.open()];
    first[Symbol.dispose]();
    await tick();
    expect(keys.looks).toBe(3);
    second[Symbol.dispose]();
    expect(clock.timers).toBe(0);
    await tick();
    expect(keys.looks).toBe(3);
  });

  test('stays one if all watchers leave and another comes while the objects are listed', async () => {
    const { keys, clock, watch, tick } = setUp();
    const first = await watch.open();
    clock.advance(INTERVAL);
    first[Symbol.dispose]();
    const second = await watch.open();
    await setImmediate();
    expect(clock.timers).toBe(1);
    const { looks } = keys;
    await tick();
    expect(keys.looks).toBe(looks + 1);
    second[Symbol.dispose]();
    expect(clock.timers).toBe(0);
  });

  test('lets other work run, however many objects there are', async () => {
    let time = 0;
    const hurried = { now: () => (time += 1), after: () => ({ cancel: () => {} }) };
    const keys = new CountedKeys();
    keys.there = Array.from({ length: 100 }, (_, i) => i + 1);
    const watch = new ObjectWatch(keys, LIMITS, hurried);
    let turns = 0;
    let done = false;
    const opened = watch.open().finally(() => {
      done = true;
    });
    for (; !done; turns++) await setImmediate();
    (await opened)[Symbol.dispose]();
    expect(turns).toBeGreaterThan(50);
  });
});

test('[W2] Each watcher sees exactly the changes of any sequence, in the same order', async () => {
  const { keys, watch, tick } = setUp();
  const watcher = await watch.open();
  const there = new Set(watcher.start().map(({ id }) => id));
  for (const ids of [[1], [1, 2, 3], [2], [], [5, 6], [4, 5, 6], [6, 7, 3]]) {
    keys.there = ids;
    await tick();
    for (const end = watcher.last; watcher.position < end;) {
      const event = await watcher.next(0, new AbortController().signal);
      const id = event?.info.id ?? 0;
      expect(there.has(id)).toBe(event?.kind === 'removed');
      if (event?.kind === 'added') there.add(id);
      else there.delete(id);
    }
    expect([...there].toSorted((a, b) => a - b)).toEqual(ids.toSorted((a, b) => a - b));
  }
  watcher[Symbol.dispose]();
});

test('The next list completes one that failed', async () => {
  const { keys, watch } = setUp();
  keys.there = [10, 11];
  using watcher = await watch.open();
  keys.there = [5, 10, 11];
  keys.failing.add(5);
  await expect(watch.open()).rejects.toThrow('cannot be opened');
  keys.failing.clear();
  keys.there = [5, 10];
  using later = await watch.open();
  expect(later.start().map(({ id }) => id)).toEqual([10, 5]);
  watcher.resume(2);
  const { signal } = new AbortController();
  const events = [await watcher.next(0, signal), await watcher.next(0, signal)];
  expect(events.map((event) => [event?.kind, event?.info.id])).toEqual([
    ['removed', 11],
    ['added', 5],
  ]);
});

test('While nothing changes no object is opened', async () => {
  const kernel = new FakeKernel();
  for (let i = 0; i < 20; i++) kernel.addUsers(intBtf());
  const { watch, clock } = await makeServices(kernel);
  const watcher = await watch.open();
  const { opens } = kernel;
  for (let round = 0; round < 10; round++) {
    clock.advance(INTERVAL);
    await setImmediate();
  }
  expect(kernel.opens).toBe(opens);
  watcher[Symbol.dispose]();
});
