import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import type { WatchHandlesResponse } from '@btfd/api';
import { BtfClient, type WatchEvent } from '@btfd/client';
import { btfLoad, type BtfFd } from '@btfd/native';
import { status } from '@grpc/grpc-js';
import { btfIds } from './testing/bpftool.js';
import { BtfUser } from './testing/btf-user.js';
import { DaemonProcess } from './testing/daemon-process.js';
import { FollowedWatch } from './testing/followed-watch.js';
import { errorInfoOf, failureOf, RawClient } from './testing/raw-client.js';
import { intBtf } from './testing/sample-btf.js';
import { until } from './testing/until.js';

needs('bpf').describe('WatchHandles', () => {
  let daemon: DaemonProcess;

  beforeAll(async () => {
    daemon = await DaemonProcess.start();
  });
  afterAll(async () => {
    await daemon[Symbol.asyncDispose]();
  });

  test('[W1] reports the objects in the kernel, and later those that another process loads and closes', async () => {
    await using client = new BtfClient(daemon.address);
    const before = new Set(btfIds());
    const watch = FollowedWatch.start(client);
    await watch.synced();
    const present = watch.events.flatMap((event) => (event.type === 'present' ? event.info.id : []));
    // Other programs of the machine load BTF too, so only objects that were there before and after must be reported.
    const stable = btfIds().filter((id) => before.has(id));
    expect(present.filter((id) => stable.includes(id))).toEqual(stable);
    const user = await BtfUser.start();
    const id = user.facts.btfId;
    await until('it is reported', () => watch.of(id).length === 1);
    await user[Symbol.asyncDispose]();
    await until('its end is reported', () => watch.of(id).length === 2);
    expect(watch.of(id)).toEqual(['added', 'removed']);
    await watch.stop();
    expect(daemon.btfFds()).toBe(0);
  });

  test('[W2] reports each of a thousand objects that come and go once, in the same order to all watchers', async () => {
    await using client = new BtfClient(daemon.address);
    const watches = [FollowedWatch.start(client), FollowedWatch.start(client), FollowedWatch.start(client)];
    for (const watch of watches) await watch.synced();
    const ids: number[] = [];
    let open: BtfFd[] = [];
    for (let round = 0; round < 10; round++) {
      const batch = await Promise.all(Array.from({ length: 100 }, () => btfLoad(intBtf(1, 'watched'), 0)));
      ids.push(...batch.map((object) => object.info().id));
      for (const object of open) object.close();
      open = batch;
      // Waits until they are noticed. Otherwise they would come and go unseen.
      const [first = 0] = ids.slice(-1);
      await until('the batch is reported', () => watches.every((watch) => watch.of(first).length === 1));
    }
    for (const object of open) object.close();
    // Waits for all of them, because another program of the machine may inspect one and so hold it for a moment.
    for (const id of ids) {
      await until('the end is reported', () => watches.every((watch) => watch.of(id).length === 2));
    }
    const all = new Set(ids);
    const isOne = (event: WatchEvent) => 'info' in event && all.has(event.info.id);
    for (const watch of watches) {
      for (const id of ids) expect(watch.of(id)).toEqual(['added', 'removed']);
      expect(watch.events.filter(isOne)).toEqual(watches[0]?.events.filter(isOne));
      await watch.stop();
    }
  });

  test('[W4] reports an object that a client loads', async () => {
    await using client = new BtfClient(daemon.address);
    const watch = FollowedWatch.start(client);
    await watch.synced();
    const handle = await client.loadHandle(intBtf(1, 'mine'), { adaptToKernel: true });
    const { id } = handle.info;
    await until('it is reported', () => watch.of(id).length === 1);
    await handle.close();
    await until('its end is reported', () => watch.of(id).length === 2);
    expect(watch.of(id)).toEqual(['added', 'removed']);
    await watch.stop();
  });

  test('[W5] [W6] resumes after a reported position, or reports that it cannot', async () => {
    using raw = new RawClient(daemon.address);
    const first = raw.stream('watchHandles', {}).on('error', () => null);
    const messages: AsyncIterator<WatchHandlesResponse> = first[Symbol.asyncIterator]();
    let synced: WatchHandlesResponse | null = null;
    while (synced?.event.case !== 'synced') synced = (await messages.next()).value;
    first.cancel();
    const object = await btfLoad(intBtf(1, 'later'), 0);
    const { id } = object.info();
    if (synced.position === undefined) throw new Error('no position');
    const second = raw.stream('watchHandles', { after: synced.position }).on('error', () => null);
    let count = 0;
    for await (const { event } of second) {
      // Other processes may load and close BTF meanwhile.
      if (event.case === 'added' && event.value.id === id) count++;
      if (event.case === 'synced') break;
    }
    expect(count).toBe(1);
    second.cancel();
    object.close();
    const drain = async (stream: AsyncIterable<unknown>) => {
      for await (const message of stream) void message;
    };
    const after = { ...synced.position, daemonEpoch: '0123456789abcdef' };
    const error = await failureOf(drain(raw.stream('watchHandles', { after })));
    expect([error.code, errorInfoOf(error).reason]).toEqual([status.OUT_OF_RANGE, 'WATCH_HISTORY_GONE']);
  });

  test('ends with UNAVAILABLE when the daemon ends, and without a trace when its client ends', async () => {
    await using own = await DaemonProcess.start();
    using raw = new RawClient(own.address);
    const before = own.fds().length;
    const client = new BtfClient(own.address);
    for await (const event of client.watchHandles()) if (event.type === 'synced') break;
    await client.close();
    await until('its connection is closed', () => own.fds().length <= before);
    const stream = raw.stream('watchHandles', {});
    const cases: unknown[] = [];
    const ended = failureOf(
      (async () => {
        for await (const { event } of stream) cases.push(event.case);
      })(),
    );
    await until('it is synced', () => cases.includes('synced'));
    expect(await own.end()).toBe(0);
    const error = await ended;
    expect([error.code, errorInfoOf(error).reason]).toEqual([status.UNAVAILABLE, 'SHUTTING_DOWN']);
  });

  test('[W7] buffers nothing for a client that does not read, and serves others meanwhile', async () => {
    using raw = new RawClient(daemon.address);
    const stalled = raw.stream('watchHandles', {}).on('error', () => null);
    await using client = new BtfClient(daemon.address);
    const watch = FollowedWatch.start(client);
    await watch.synced();
    const before = daemon.residentBytes();
    for (let round = 0; round < 5; round++) {
      const objects = await Promise.all(Array.from({ length: 400 }, () => btfLoad(intBtf(1, 'flood'), 0)));
      const last = objects.at(-1)?.info().id ?? 0;
      await until('they are reported', () => watch.of(last).length === 1);
      for (const object of objects) object.close();
      await until('their end is reported', () => watch.of(last).length === 2);
    }
    expect(daemon.residentBytes() - before).toBeLessThan(32 << 20);
    stalled.cancel();
    await watch.stop();
  });

  test('[W9] reports the files of a folder by name', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'btfd-files-'));
    writeFileSync(join(dir, 'vmlinux'), intBtf(1, 'v'));
    try {
      await using files = await DaemonProcess.start({ args: ['--btf-dir', dir] });
      await using client = new BtfClient(files.address);
      const watch = FollowedWatch.start(client);
      await watch.synced();
      writeFileSync(join(dir, 'xfs'), intBtf(1, 'x'));
      await until('it is reported', () => watch.events.length === 3);
      rmSync(join(dir, 'xfs'));
      await until('its end is reported', () => watch.events.length === 4);
      const events = watch.events.map((event) =>
        'info' in event ? [event.type, event.info.name] : event.type,
      );
      expect(events).toEqual([['present', 'vmlinux'], 'synced', ['added', 'xfs'], ['removed', 'xfs']]);
      await watch.stop();
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
