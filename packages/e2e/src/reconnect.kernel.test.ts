import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { BtfClient, BtfError, type DaemonChange } from '@btfd/client';
import { DaemonProcess } from './testing/daemon-process.js';
import { intBtf } from './testing/sample-btf.js';
import { until } from './testing/until.js';

needs('bpf').describe('a client whose daemon goes away and comes back', () => {
  let first: DaemonProcess;
  let client: BtfClient;
  let changes: DaemonChange[];

  beforeEach(async () => {
    first = await DaemonProcess.start();
    changes = [];
    client = new BtfClient(first.address, {
      // However long a busy machine takes to start the next daemon.
      retries: 100,
      timeout: 240_000,
      onDaemonChange: (change) => changes.push(change),
    });
  });

  afterEach(async () => {
    await client.close();
    await first[Symbol.asyncDispose]();
  });

  test.each<NodeJS.Signals>(['SIGKILL', 'SIGTERM'])('finishes its calls over a %s', async (signal) => {
    await client.serverInfo();
    await first.end(signal);
    // A request that is written to the dead connection may have been received, so its call is not repeated. The kernel
    // has closed the socket, and some turns of the event loop report it.
    for (let turn = 0; turn < 20; turn++) await setImmediate();
    const calls = Promise.all([
      client.listObjects(),
      client.spec('vmlinux'),
      client.resolveMembers('vmlinux', ['list_head.next']),
      // These calls open a handle, but a request that was never sent can be repeated.
      client.getHandleById(1),
      client.loadHandle(intBtf(1, 'late')),
    ]);
    await using second = await DaemonProcess.start({ socket: first.socket });
    const [objects, spec, members, handle, loaded] = await calls;
    expect(objects.map(({ name }) => name)).toContain('vmlinux');
    expect(spec.typesByName('list_head').length).toBeGreaterThan(0);
    expect(members[0]?.member?.bitOffset).toBe(0);
    expect([handle.info.id, loaded.info.origin]).toEqual([1, 'user']);
    expect(second.btfFds()).toBe(2);
  });

  test('loses its handles at once and reports the change', async () => {
    // The next renewal would only come after a minute.
    const handle = await client.loadHandle(intBtf(1, 'lost'), { ttl: 180_000 });
    const { daemonEpoch, bootId } = await client.serverInfo();
    await first.end('SIGKILL');
    await using second = await DaemonProcess.start({ socket: first.socket });
    await until('the loss is noticed', () => handle.lost.aborted);
    expect(BtfError.from(handle.lost.reason).reason).toBe('HANDLE_OF_EARLIER_DAEMON');
    await until('the change is reported', () => changes.length > 0);
    await expect(handle.spec()).rejects.toMatchObject({ reason: 'HANDLE_OF_EARLIER_DAEMON' });
    expect(second.pid).not.toBe(first.pid);
    expect(second.btfFds()).toBe(0);
    const current = { epoch: (await client.serverInfo()).daemonEpoch, bootId };
    expect(changes).toEqual([{ previous: { epoch: daemonEpoch, bootId }, current }]);
  });

  test('fails with UNREACHABLE if the daemon stays away', async () => {
    await using impatient = new BtfClient(first.address, { retries: 1 });
    await impatient.serverInfo();
    await first.end('SIGKILL');
    await expect(impatient.serverInfo()).rejects.toMatchObject({ reason: 'UNREACHABLE' });
  });
});

needs('bpf').describe('specs kept in a folder', () => {
  test('are transferred once for all clients', async () => {
    const specCacheDir = mkdtempSync(join(tmpdir(), 'btfd-specs-'));
    try {
      await using daemon = await DaemonProcess.start();
      const received: number[][] = [];
      for (let run = 0; run < 2; run++) {
        const reported: number[] = [];
        await using client = new BtfClient(daemon.address, { specCacheDir });
        const spec = await client.spec('vmlinux', {
          onProgress: (progress) => reported.push(progress.received),
        });
        await using handle = await client.findHandle((info) => info.isVmlinux);
        expect(await handle.spec()).toBe(spec);
        received.push(reported);
      }
      expect(received[0]?.at(-1)).toBeGreaterThan(1_000_000);
      expect(received[1]).toEqual([]);
    } finally {
      rmSync(specCacheDir, { recursive: true });
    }
  });
});
