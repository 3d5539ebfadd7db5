import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { ObjectList } from '../kernel/object-list.js';
import { intBtf } from '../testing/btf-bytes.js';
import { FakeKernel } from '../testing/fake-kernel.js';
import { ManualClock } from '../testing/manual-clock.js';
import { makeServices } from '../testing/services.js';
import { ObjectWatch } from './object-watch.js';

const INTERVAL = 400;
const LIMITS = { watchIntervalMs: INTERVAL, watchHistory: 16 };

async function setUp(clock = new ManualClock()) {
  const kernel = new FakeKernel();
  const { files, access } = await makeServices(kernel);
  const objects = new ObjectList(kernel, files, access, { mayBeOwn: () => false }, clock);
  const watch = new ObjectWatch(objects, LIMITS, clock);
  kernel.lists = 0;
  const tick = async () => {
    clock.advance(INTERVAL);
    await setImmediate();
  };
  return { kernel, clock, objects, watch, tick };
}

describe('One list of the objects per interval', () => {
  test('[W3] serves any number of watchers, and opens no object while nothing changes', async () => {
    const { kernel, watch, tick } = await setUp();
    for (let i = 0; i < 3; i++) kernel.addUsers(intBtf());
    const watchers = await Promise.all(Array.from({ length: 100 }, () => watch.open()));
    // Watchers that start during the first look share the second.
    expect([kernel.lists, kernel.opens]).toEqual([1, 3]);
    for (let round = 0; round < 10; round++) await tick();
    expect([kernel.lists, kernel.opens]).toEqual([11, 3]);
    for (const watcher of watchers) watcher[Symbol.dispose]();
  });

  test('[W3] happens only while there are watchers', async () => {
    const { kernel, clock, watch, tick } = await setUp();
    await tick();
    expect(kernel.lists).toBe(0);
    const [first, second] = [await watch.open(), await watch.open()];
    first[Symbol.dispose]();
    await tick();
    expect(kernel.lists).toBe(3);
    second[Symbol.dispose]();
    expect(clock.timers).toBe(0);
    await tick();
    expect(kernel.lists).toBe(3);
  });

  test('stays one if all watchers leave and another comes while the objects are listed', async () => {
    const { kernel, clock, watch, tick } = await setUp();
    const first = await watch.open();
    clock.advance(INTERVAL);
    first[Symbol.dispose]();
    const second = await watch.open();
    await setImmediate();
    expect(clock.timers).toBe(1);
    const { lists } = kernel;
    await tick();
    expect(kernel.lists).toBe(lists + 1);
    second[Symbol.dispose]();
    expect(clock.timers).toBe(0);
  });

  test('lets other work run, however many objects there are', async () => {
    let time = 0;
    const hurried = { now: () => (time += 1), after: () => ({ cancel: () => {} }) };
    const { kernel } = await setUp();
    for (let i = 0; i < 100; i++) kernel.addUsers(intBtf());
    const { files, access } = await makeServices(kernel);
    const slow = new ObjectList(kernel, files, access, { mayBeOwn: () => false }, hurried);
    const watch = new ObjectWatch(slow, LIMITS, hurried);
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
  const { kernel, watch, tick } = await setUp();
  const watcher = await watch.open();
  const there = new Set(watcher.start().map(({ id }) => id));
  for (const [count, ...removed] of [[1], [2, 1], [0, 2, 3], [3], [0, 4], [2, 5, 6, 7], [1]]) {
    for (const id of removed) kernel.remove(id);
    for (let i = 0; i < (count ?? 0); i++) kernel.addUsers(intBtf());
    await tick();
    for (const end = watcher.last; watcher.position < end;) {
      const event = await watcher.next(0, new AbortController().signal);
      const id = event?.info.id ?? 0;
      expect(there.has(id)).toBe(event?.kind === 'removed');
      if (event?.kind === 'added') there.add(id);
      else there.delete(id);
    }
    expect([...there].toSorted((a, b) => a - b)).toEqual(kernel.ids());
  }
  expect(there.size).toBe(3);
  watcher[Symbol.dispose]();
});

test('A change that another call finds is reported once, without a look of the watch', async () => {
  const { kernel, objects, watch, tick } = await setUp();
  using watcher = await watch.open();
  const id = kernel.addUsers(intBtf());
  await objects.look();
  const { signal } = new AbortController();
  expect(await watcher.next(0, signal)).toMatchObject({ kind: 'added', info: { id } });
  await tick();
  expect(watcher.position).toBe(watcher.last);
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
