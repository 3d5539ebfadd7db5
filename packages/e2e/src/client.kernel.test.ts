import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { BtfClient, BtfError, type Handle } from '@btfd/client';
import { btfLoad, type BtfFd } from '@btfd/native';
import { status } from '@grpc/grpc-js';
import { btfIds } from './testing/bpftool.js';
import { DaemonProcess } from './testing/daemon-process.js';
import { intBtf, refusedBtf } from './testing/sample-btf.js';
import { until } from './testing/until.js';

const MAX_HELD = 64;
const WALKING_CLIENT = fileURLToPath(new URL('../dist/testing/walking-client.js', import.meta.url));

needs('bpf').describe('BtfClient', () => {
  let daemon: DaemonProcess;
  let client: BtfClient;
  let longLoop: Promise<string[]>;

  beforeAll(async () => {
    // It takes 16 s, so it runs while the other tests run.
    longLoop = takenAfterLongBody();
    // Its own test awaits the result and fails with its error.
    longLoop.catch(() => {});
    daemon = await DaemonProcess.start();
    client = new BtfClient(daemon.address);
  });
  afterAll(async () => {
    await client.close();
    await daemon[Symbol.asyncDispose]();
  });

  async function failureOf(call: Promise<unknown>): Promise<BtfError> {
    try {
      await call;
    } catch (error) {
      if (BtfError.isBtfError(error)) return error;
      throw error;
    }
    throw new Error('the call succeeded');
  }

  /** Returns the name of the object that a loop visits and, after a long body, the name of the object that it takes. */
  async function takenAfterLongBody(): Promise<string[]> {
    await using own = await DaemonProcess.start({ args: ['--hold-stall-timeout', '14s'] });
    await using slow = new BtfClient(own.address);
    for await (const handle of slow.iterateHandles()) {
      await setTimeout(16_000);
      await using taken = await handle.take();
      return [handle.info.name, (await taken.inspect()).info.name];
    }
    return [];
  }

  const noneHeld = () => until('the daemon holds nothing', () => daemon.btfFds() === 0);

  test('serverInfo describes the kernel', async () => {
    const info = await client.serverInfo();
    expect(info.kernelRelease).toBe(readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim());
    expect(info.bootId).toBe(readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
  });

  test('findHandle holds the first match and nothing else', async () => {
    await using handle = await client.findHandle((info) => info.isVmlinux);
    expect(handle.info).toMatchObject({ name: 'vmlinux', isVmlinux: true, isModule: false, isKernel: true });
    await until('only the match is held', () => daemon.btfFds() === 1);
    const spec = await handle.spec();
    expect(Buffer.compare(spec.bytes, readFileSync('/sys/kernel/btf/vmlinux'))).toBe(0);
    expect(spec.typesByName('task_struct').map(({ kind }) => kind)).toContain('STRUCT');
  });

  test('findHandle without a match fails with NO_MATCH and holds nothing', async () => {
    const error = await failureOf(client.findHandle(() => false));
    expect([error.code, error.reason]).toEqual([status.NOT_FOUND, 'NO_MATCH']);
    await noneHeld();
  });

  test('a predicate that throws ends the search with its error and holds nothing', async () => {
    const search = client.findHandle(() => {
      throw new Error('of the predicate');
    });
    await expect(search).rejects.toThrow('of the predicate');
    await noneHeld();
  });

  test('iterates over two thousand objects and never holds more than the limit', async () => {
    const objects: BtfFd[] = [];
    for (let round = 0; round < 20; round++) {
      objects.push(...(await Promise.all(Array.from({ length: 100 }, () => btfLoad(intBtf(1, 'many'), 0)))));
    }
    try {
      const before = btfIds();
      const seen: number[] = [];
      let most = 0;
      for await (const handle of client.iterateHandles()) {
        seen.push(handle.info.id);
        if (seen.length % 50 === 0) {
          most = Math.max(most, daemon.btfFds());
          expect((await handle.inspect()).info.id).toBe(handle.info.id);
        }
      }
      // Other processes may load and close BTF meanwhile.
      const after = new Set(btfIds());
      const stable = new Set(before.filter((id) => after.has(id)));
      expect(seen.filter((id) => stable.has(id))).toEqual([...stable]);
      expect(seen.length).toBeGreaterThan(2_000);
      expect(most).toBeGreaterThan(0);
      expect(most).toBeLessThanOrEqual(MAX_HELD);
      await noneHeld();

      const fds = daemon.fds().length;
      const child = spawn(process.execPath, [WALKING_CLIENT, daemon.address], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await once(child.stdout, 'data');
      child.kill('SIGKILL');
      await once(child, 'exit');
      await noneHeld();
      await until('its connection is closed', () => daemon.fds().length <= fds);
    } finally {
      for (const object of objects) object.close();
    }
  });

  test('a handle is valid until the next step of the iteration, or longer if it is taken', async () => {
    let taken: Handle | null = null;
    for await (const handle of client.iterateHandles()) {
      taken = await handle.take();
      expect(await handle.take()).toBe(taken);
      break;
    }
    if (taken === null) throw new Error('no objects');
    await until('only the taken one is held', () => daemon.btfFds() === 1);
    expect((await taken.inspect()).grantedTtl).toBe(60_000);
    await taken.close();
    await taken.close();
    expect(daemon.btfFds()).toBe(0);
    expect((await failureOf(taken.spec())).reason).toBe('HANDLE_CLOSED');
  });

  test('loads BTF, reads it back, clones the handle, and closes both', async () => {
    const bytes = intBtf(2, 'mine');
    const handle = await client.loadHandle(bytes);
    expect(btfIds()).toContain(handle.info.id);
    const spec = await handle.spec();
    expect(spec.typesByName('mine').map(({ id }) => id)).toEqual([1, 2]);
    const clone = await handle.clone();
    await handle.close();
    expect(Buffer.compare(await clone.rawBtf(), bytes)).toBe(0);
    await clone.close();
    await until('the object is gone', () => !btfIds().includes(handle.info.id));
  });

  test('a rejection has the log of the kernel, as an error or as a result', async () => {
    const error = await failureOf(client.loadHandle(refusedBtf(2, 'bad')));
    expect([error.code, error.reason]).toEqual([status.INVALID_ARGUMENT, 'VERIFIER_REJECTED']);
    expect(error.verifierLog?.text).toContain('Invalid kind');
    const { rejection } = await client.tryLoadHandle(refusedBtf(20_000, 'bad'), { logSize: 4 * 1024 * 1024 });
    expect(rejection?.errnoName).toBe('EINVAL');
    expect(rejection?.log).toMatchObject({ truncated: false });
    expect(rejection?.log.text).toContain('[19999] INT bad');
  });

  test.each([
    [
      'a message of BTF',
      async () => client.loadHandle(new Uint8Array(17 * 1024 * 1024)),
      'maxLoadMessageBytes',
    ],
    [
      'a selection',
      async () =>
        client.selectTypes('vmlinux', { names: Array.from({ length: 1000 }, () => 'x'.repeat(300)) }),
      'maxMessageBytes',
    ],
    [
      'a list of paths',
      async () => client.resolveMembers('vmlinux', ['x'.repeat(300_000)]),
      'maxMessageBytes',
    ],
  ] as const)('%s larger than the daemon accepts fails with both sizes', async (_, call, bound) => {
    const error = await failureOf(call());
    expect([error.code, error.reason]).toEqual([status.RESOURCE_EXHAUSTED, 'MESSAGE_TOO_LARGE']);
    const limit = Number(error.metadata['limit']);
    expect(limit).toBeGreaterThanOrEqual((await client.serverInfo()).limits[bound]);
    expect(Number(error.metadata['size'])).toBeGreaterThan(limit);
    expect(error.message).toMatch(/the request has \d+ bytes; the daemon accepts at most \d+/);
  });

  test('renews a lease automatically, until the client is closed', async () => {
    const own = new BtfClient(daemon.address);
    const handle = await own.loadHandle(intBtf(1, 'kept'), { ttl: 4_000 });
    expect(handle.grantedTtl).toBe(4_000);
    await setTimeout(5_000);
    expect((await handle.inspect()).info.id).toBe(handle.info.id);
    expect(handle.lost.aborted).toBe(false);
    await own.close();
    await until('the object is gone', () => !btfIds().includes(handle.info.id));
  });

  test('an aborted signal cancels calls and iterations with its reason', async () => {
    const abort = new AbortController();
    const iteration = (async () => {
      for await (const handle of client.iterateHandles({ signal: abort.signal })) {
        void handle;
        abort.abort(new Error('enough'));
      }
    })();
    await expect(iteration).rejects.toThrow('enough');
    await expect(client.serverInfo({ signal: abort.signal })).rejects.toThrow('enough');
    await noneHeld();
  });

  test('a loop body may take longer than the daemon waits for an idle client', async () => {
    const [visited, taken] = await longLoop;
    expect(visited).toBe('vmlinux');
    expect(taken).toBe(visited);
  });
});
