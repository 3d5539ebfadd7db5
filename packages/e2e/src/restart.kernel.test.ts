import { readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { BtfClient, BtfError, type Handle } from '@btfd/client';
import { status } from '@grpc/grpc-js';
import { btfIds } from './testing/bpftool.js';
import { BtfUser } from './testing/btf-user.js';
import { DaemonProcess } from './testing/daemon-process.js';
import { FollowedWatch } from './testing/followed-watch.js';
import { intBtf } from './testing/sample-btf.js';
import { until } from './testing/until.js';

needs('bpf').describe('a daemon that is killed and started again on its socket', () => {
  async function errorOf(call: Promise<unknown>): Promise<BtfError> {
    return call.then(
      () => {
        throw new Error('the call succeeded');
      },
      (error: unknown) => BtfError.from(error),
    );
  }

  /** Loads objects that nobody else holds, and returns the handles. */
  async function load(client: BtfClient, count: number): Promise<Handle[]> {
    const loads = Array.from({ length: count }, () => client.loadHandle(intBtf(1, 'restarted')));
    return Promise.all(loads);
  }

  const idsOf = (handles: readonly Handle[]) => handles.map(({ info }) => info.id);

  test('[D4] leaves none of its objects, and no file except its socket', async () => {
    await using first = await DaemonProcess.start();
    await using client = new BtfClient(first.address);
    const ids = idsOf(await load(client, 3));
    expect(btfIds()).toEqual(expect.arrayContaining(ids));
    await first.end('SIGKILL');
    await until('the objects are gone', () => btfIds().every((id) => !ids.includes(id)));
    await using second = await DaemonProcess.start({ socket: first.socket });
    expect(readdirSync(dirname(second.socket))).toEqual(['btfd.sock']);
    expect(second.btfFds()).toBe(0);
    expect(await second.end()).toBe(0);
    expect(readdirSync(dirname(second.socket))).toEqual([]);
  });

  test('[C2] [C3] loses a client’s handles at the first response of the new run, even if they are unused', async () => {
    await using first = await DaemonProcess.start();
    await using client = new BtfClient(first.address);
    const handles = await load(client, 3);
    const { daemonEpoch } = await client.serverInfo();
    await first.end('SIGKILL');
    const away = await errorOf(client.serverInfo());
    expect([away.code, away.reason]).toEqual([status.UNAVAILABLE, 'UNREACHABLE']);
    await using second = await DaemonProcess.start({ socket: first.socket });
    const answered = async () => client.serverInfo().catch(() => null);
    await until('the daemon responds', async () => (await answered()) !== null);
    const info = await client.serverInfo();
    expect(info.daemonEpoch).not.toBe(daemonEpoch);
    // With the granted 60 s the next renewal would come only after 20 s.
    await until('the handles are lost', () => handles.every(({ lost }) => lost.aborted), 5_000);
    for (const handle of handles) {
      const lost = BtfError.from(handle.lost.reason);
      expect([lost.code, lost.reason]).toEqual([status.NOT_FOUND, 'HANDLE_OF_EARLIER_DAEMON']);
      expect(lost.metadata).toEqual({ daemon_epoch: info.daemonEpoch });
      for (const use of [handle.spec(), handle.rawBtf(), handle.clone(), handle.renew(), handle.inspect()]) {
        expect((await errorOf(use)).reason).toBe('HANDLE_OF_EARLIER_DAEMON');
      }
      await handle.close();
    }
    const [fresh] = await load(client, 1);
    expect(second.btfFds()).toBe(1);
    await fresh?.close();
    expect(second.btfFds()).toBe(0);
  });

  test('[D2] recognizes a handle of the earlier run by its token, even in the first call', async () => {
    await using first = await DaemonProcess.start();
    await using client = new BtfClient(first.address);
    const [handle] = await load(client, 1);
    if (handle === undefined) throw new Error('no handle');
    await first.end('SIGKILL');
    await using second = await DaemonProcess.start({ socket: first.socket });
    const failures = new Set<string | null>();
    await until('the daemon responds', async () => {
      failures.add((await errorOf(handle.inspect())).reason);
      return handle.lost.aborted;
    });
    expect([...failures].filter((reason) => reason !== 'UNREACHABLE')).toEqual(['HANDLE_OF_EARLIER_DAEMON']);
    expect(second.btfFds()).toBe(0);
  });

  test('ends an iteration with an error, and loses the handles taken from it', async () => {
    await using first = await DaemonProcess.start();
    await using client = new BtfClient(first.address);
    await using other = await BtfUser.start();
    const taken: Handle[] = [];
    const iteration = (async () => {
      for await (const handle of client.iterateHandles()) {
        if (handle.info.id === other.facts.btfId) continue;
        taken.push(await handle.take());
        await first.end('SIGKILL');
      }
    })();
    expect((await errorOf(iteration)).code).toBe(status.UNAVAILABLE);
    await using second = await DaemonProcess.start({ socket: first.socket });
    await until('the daemon responds', async () => (await client.serverInfo().catch(() => null)) !== null);
    await until('the handle is lost', () => taken.every(({ lost }) => lost.aborted));
    expect(taken.map(({ lost }) => BtfError.from(lost.reason).reason)).toEqual(['HANDLE_OF_EARLIER_DAEMON']);
    expect(second.btfFds()).toBe(0);
  });

  test('[W10] resumes a watch: reports each object that came or went meanwhile once, and handles are lost', async () => {
    await using first = await DaemonProcess.start();
    await using client = new BtfClient(first.address);
    await using staying = await BtfUser.start();
    const going = await BtfUser.start();
    const handles = await load(client, 3);
    const watch = FollowedWatch.start(client);
    await watch.synced();
    await first.end('SIGKILL');
    await going[Symbol.asyncDispose]();
    await using coming = await BtfUser.start();
    await using second = await DaemonProcess.start({ socket: first.socket });
    await watch.synced(2);
    for (const id of [going.facts.btfId, ...idsOf(handles)])
      expect(watch.of(id)).toEqual(['present', 'removed']);
    expect(watch.of(staying.facts.btfId)).toEqual(['present']);
    expect(watch.of(coming.facts.btfId)).toEqual(['added']);
    expect(watch.events.findLast(({ type }) => type === 'synced')).toEqual({
      type: 'synced',
      relisted: true,
    });
    await until('the handles are lost', () => handles.every(({ lost }) => lost.aborted));
    const later = await BtfUser.start();
    await until('it is reported', () => watch.of(later.facts.btfId).length === 1);
    await later[Symbol.asyncDispose]();
    await until('its end is reported', () => watch.of(later.facts.btfId).length === 2);
    await watch.stop();
    expect(second.btfFds()).toBe(0);
  });

  test('three times in a row, while clients work, leaves every client working', async () => {
    const first = await DaemonProcess.start();
    const daemons = [first];
    await using client = new BtfClient(first.address);
    const watch = FollowedWatch.start(client);
    await watch.synced();
    let working = true;
    const reasons = new Set<string | null>();
    const work = Array.from({ length: 4 }, async () => {
      while (working) {
        try {
          const handle = await client.loadHandle(intBtf(1, 'working'));
          await handle.spec();
          await handle.close();
        } catch (error) {
          reasons.add(BtfError.from(error).reason);
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      }
    });
    for (let round = 0; round < 3; round++) {
      await new Promise((resolve) => setTimeout(resolve, 300));
      await daemons.at(-1)?.end('SIGKILL');
      daemons.push(await DaemonProcess.start({ socket: first.socket }));
      await watch.synced(round + 2);
    }
    working = false;
    await Promise.all(work);
    const last = daemons.at(-1);
    await until('the last daemon holds nothing', () => last?.btfFds() === 0);
    for (const expected of ['UNREACHABLE', 'HANDLE_OF_EARLIER_DAEMON'] as const) reasons.delete(expected);
    expect([...reasons]).toEqual([]);
    await watch.stop();
    for (const daemon of daemons) await daemon[Symbol.asyncDispose]();
  });

  test('or by several at the same time, is replaced by one, and the others end with an error', async () => {
    await using first = await DaemonProcess.start();
    await first.end('SIGKILL');
    const starts = Array.from({ length: 4 }, async () => DaemonProcess.start({ socket: first.socket }));
    const ends = await Promise.allSettled(starts);
    const daemons = ends.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : []));
    const errors = ends.flatMap((end) => (end.status === 'rejected' ? [String(end.reason)] : []));
    const refusal = `another process listens on ${first.socket}`;
    expect(errors).toEqual(Array.from({ length: 3 }, () => expect.stringContaining(refusal)));
    await using client = new BtfClient(first.address);
    const { daemonEpoch } = await client.serverInfo();
    expect(daemons.map(({ log }) => log.text)).toEqual([expect.stringContaining(daemonEpoch)]);
    expect(readdirSync(dirname(first.socket))).toEqual(['btfd.sock']);
    for (const daemon of daemons) await daemon[Symbol.asyncDispose]();
  });
});
