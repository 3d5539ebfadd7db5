import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { status } from '@grpc/grpc-js';
import { type IterateHandlesRequest, type IterateHandlesResponse, Origin } from '@btfd/api';
import { btfGetFdById, btfLoad, type BtfFd } from '@btfd/native';
import { btfIds, btfList } from './testing/bpftool.js';
import { DaemonProcess } from './testing/daemon-process.js';
import { errorInfoOf, failureOf, RawClient } from './testing/raw-client.js';
import { intBtf } from './testing/sample-btf.js';
import { until } from './testing/until.js';

const HOLDING_CLIENT = fileURLToPath(new URL('../dist/testing/holding-client.js', import.meta.url));
const MAX_HELD = 64;

needs('bpf').describe('IterateHandles', () => {
  let daemon: DaemonProcess;
  let client: RawClient;
  let objects: BtfFd[] = [];

  beforeAll(async () => {
    daemon = await DaemonProcess.start();
    client = new RawClient(daemon.address);
    objects = await Promise.all(
      Array.from({ length: 200 }, (_, index) => btfLoad(intBtf(1, `object_${index}`), 0)),
    );
  });
  afterAll(async () => {
    for (const object of objects) object.close();
    client[Symbol.dispose]();
    await daemon[Symbol.asyncDispose]();
  });

  const iterate = (
    request: Partial<Pick<IterateHandlesRequest, 'afterId' | 'hold' | 'origins' | 'nameGlobs'>> = {},
  ) => client.stream('iterateHandles', request);
  const noneHeld = () => until('the daemon holds nothing', () => daemon.btfFds() === 0);

  async function all(stream: AsyncIterable<IterateHandlesResponse>): Promise<IterateHandlesResponse[]> {
    const answers: IterateHandlesResponse[] = [];
    for await (const answer of stream) answers.push(answer);
    return answers;
  }

  /** Reads responses until the daemon pauses at its limit of held handles, and returns their tokens. */
  async function readToBound(stream: AsyncIterator<IterateHandlesResponse>): Promise<string[]> {
    const tokens: string[] = [];
    while (tokens.length < MAX_HELD) {
      const next = await stream.next();
      if (next.done === true) break;
      tokens.push(next.value.handle?.token ?? '');
    }
    return tokens;
  }

  needs('bpftool').test(
    'visits every object that bpftool lists, in id order, with the same info',
    async () => {
      const before = new Set(btfIds());
      const answers = await all(iterate());
      // Other processes may load and close BTF meanwhile.
      const expected = btfList()
        .filter(({ id }) => before.has(id))
        .map(({ id, size, name }) => ({ id, size, name: name ?? '' }));
      const stable = new Set(expected.map(({ id }) => id));
      const infos = answers.map(({ info }) => ({ id: info?.id ?? 0, size: info?.size, name: info?.name }));
      expect(infos.filter(({ id }) => stable.has(id))).toEqual(expected);
      expect(stable.size).toBeGreaterThan(200);
      expect(answers.every(({ handle }) => handle === undefined)).toBe(true);
      expect(daemon.btfFds()).toBe(0);
    },
  );

  test('resumes after an id, and filters by origin and name', async () => {
    const ids = objects.map((object) => object.info().id).toSorted((a, b) => a - b);
    const middle = ids[100] ?? 0;
    const resumed = (await all(iterate({ afterId: middle }))).map(({ info }) => info?.id ?? 0);
    expect(resumed.filter((id) => ids.includes(id))).toEqual(ids.slice(101));
    expect(Math.min(...resumed)).toBeGreaterThan(middle);
    const kernel = await all(iterate({ origins: [Origin.VMLINUX] }));
    expect(kernel.map(({ info }) => info)).toMatchObject([
      { name: 'vmlinux', isKernel: true, origin: Origin.VMLINUX },
    ]);
    expect(await all(iterate({ nameGlobs: ['vm*x'], origins: [Origin.MODULE] }))).toEqual([]);
    expect((await all(iterate({ nameGlobs: ['vm[a-m]inu?'] }))).length).toBe(1);
  });

  test('continues while objects come and go', async () => {
    const stable = objects.map((object) => object.info().id);
    let churning = true;
    const churn = (async () => {
      while (churning) {
        const batch = await Promise.all(Array.from({ length: 20 }, () => btfLoad(intBtf(1, 'churn'), 0)));
        for (const object of batch) object.close();
      }
    })();
    for (let round = 0; round < 30; round++) {
      const ids = (await all(iterate())).map(({ info }) => info?.id ?? 0);
      expect(ids).toEqual(ids.toSorted((a, b) => a - b));
      expect(ids).toEqual(expect.arrayContaining(stable));
    }
    churning = false;
    await churn;
    expect(daemon.btfFds()).toBe(0);
  });

  test('with hold every object has a handle that works until it is closed, including the last one', async () => {
    const stream = iterate({ hold: true, nameGlobs: ['vmlinux'] });
    const reader = stream[Symbol.asyncIterator]();
    const { value } = await reader.next();
    const { token, grantedTtl, remainingTtl } = value.handle;
    expect([grantedTtl, remainingTtl]).toEqual([undefined, undefined]);
    const end = reader.next();
    expect((await client.call('getHandleInfo', { token })).handle?.info?.name).toBe('vmlinux');
    await client.call('closeHandles', { tokens: [token] });
    expect((await end).done).toBe(true);
    await noneHeld();
  });

  test('a cancelled stream closes the handles that it holds', async () => {
    const stream = iterate({ hold: true, nameGlobs: ['vmlinux'] });
    const { value } = await stream[Symbol.asyncIterator]().next();
    expect(daemon.btfFds()).toBe(1);
    stream.on('error', () => null).cancel();
    await noneHeld();
    const error = await failureOf(client.call('getHandleInfo', { token: value.handle.token }));
    expect(errorInfoOf(error).reason).toBe('HANDLE_NOT_FOUND');
  });

  test('holds at most its limit, and continues when a handle is closed or taken', async () => {
    const stream = iterate({ hold: true });
    const reader = stream[Symbol.asyncIterator]();
    const tokens = await readToBound(reader);
    expect(tokens.length).toBe(MAX_HELD);
    expect(daemon.btfFds()).toBe(MAX_HELD);
    for (const token of tokens.slice(0, 3)) {
      expect((await client.call('getHandleInfo', { token })).handle?.grantedTtl).toBeUndefined();
    }
    const blocked = reader.next();
    const [taken = '', closed = ''] = tokens;
    const { handle } = await client.call('takeHandle', { token: taken });
    expect(handle).toMatchObject({ token: taken, grantedTtl: { seconds: 60n } });
    expect((await blocked).done).toBe(false);
    await client.call('closeHandles', { tokens: [closed] });
    expect((await reader.next()).done).toBe(false);
    stream.cancel();
    await until('only the taken one is open', () => daemon.btfFds() === 1);
    // A client that lost the response can ask again.
    expect((await client.call('takeHandle', { token: taken })).handle?.token).toBe(taken);
    expect((await client.call('closeHandles', { tokens: [taken] })).wasOpen).toEqual([true]);
    expect(daemon.btfFds()).toBe(0);
  });

  test('a deadline closes the handles that the stream holds', async () => {
    const stream = client.stream('iterateHandles', { hold: true }, { deadline: Date.now() + 500 });
    const error = await failureOf(all(stream));
    expect(error.code).toBe(status.DEADLINE_EXCEEDED);
    await noneHeld();
  });

  test('a client that is killed leaves no handle and no file descriptor behind', async () => {
    const before = daemon.fds().length;
    const child = spawn(process.execPath, [HOLDING_CLIENT, daemon.address], { stdio: 'ignore' });
    await until('the client holds handles', () => daemon.btfFds() === MAX_HELD);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await noneHeld();
    await until('its connection is closed', () => daemon.fds().length <= before);
  });

  test('a client that neither takes nor closes gets HOLD_STALLED after the hold-stall timeout', async () => {
    await using impatient = await DaemonProcess.start({ args: ['--hold-stall-timeout', '1s'] });
    using idle = new RawClient(impatient.address);
    const started = performance.now();
    const error = await failureOf(all(idle.stream('iterateHandles', { hold: true })));
    expect([error.code, errorInfoOf(error).reason]).toEqual([status.RESOURCE_EXHAUSTED, 'HOLD_STALLED']);
    expect(performance.now() - started).toBeGreaterThan(900);
    await until('the daemon holds nothing', () => impatient.btfFds() === 0);
  });

  test('GetHandleById opens an object, and reports NOT_FOUND if it is gone', async () => {
    const object = await btfLoad(intBtf(1, 'by_id'), 0);
    const { id } = object.info();
    const { handle } = await client.call('getHandleById', { id });
    object.close();
    expect(handle?.info).toMatchObject({ id, name: '', origin: Origin.USER, isKernel: false });
    btfGetFdById(id).close();
    await client.call('closeHandles', { tokens: [handle?.token ?? ''] });
    await until('the object is gone', () => !btfIds().includes(id));
    const error = await failureOf(client.call('getHandleById', { id }));
    expect(error.code).toBe(status.NOT_FOUND);
    expect(errorInfoOf(error)).toMatchObject({ reason: 'BTF_ID_NOT_FOUND', metadata: { id: String(id) } });
  });
});
