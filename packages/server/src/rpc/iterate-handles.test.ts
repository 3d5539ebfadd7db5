import { setImmediate } from 'node:timers/promises';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { describe, expect, test } from '@jest/globals';
import {
  ErrorReason,
  InfoDetail,
  IterateHandlesRequestSchema,
  IterateHandlesResponseSchema,
  Origin,
  type IterateHandlesResponse as Response,
} from '@btfd/api';
import { intBtf } from '../testing/btf-bytes.js';
import { bpfError, FakeKernel } from '../testing/fake-kernel.js';
import { makeServices, type ServicesForTest } from '../testing/services.js';
import { failureOf, reasonOf } from '../testing/service-error.js';
import { TempDir } from '../testing/temp-dir.js';
import { iterateHandles } from './iterate-handles.js';
import { callBy, LOADER } from '../testing/callers.js';

type Request = Omit<MessageInitShape<typeof IterateHandlesRequestSchema>, '$typeName'>;

/** A kernel with vmlinux, modules and other objects, with ids in this order. */
function kernelOfMany(): FakeKernel {
  const kernel = new FakeKernel();
  kernel.add('vmlinux', intBtf('v'));
  kernel.add('vmlinux.inline', intBtf('i'));
  kernel.add('ext4', intBtf('e'));
  kernel.addUsers(intBtf('u'));
  kernel.add('xfs', intBtf('x'));
  return kernel;
}

type Messages = AsyncGenerator<Response, void, void>;

async function* start(
  services: ServicesForTest,
  request: Request,
  signal = new AbortController().signal,
): Messages {
  const messages = iterateHandles(services)(
    create(IterateHandlesRequestSchema, request),
    callBy(LOADER, signal),
  );
  for await (const message of messages) yield create(IterateHandlesResponseSchema, message);
}

async function all(messages: Messages): Promise<Response[]> {
  const list: Response[] = [];
  for await (const message of messages) list.push(message);
  return list;
}

/** Returns the next messages, which must exist. */
async function take(messages: Messages, count: number): Promise<Response[]> {
  const list: Response[] = [];
  while (list.length < count) {
    const { done, value } = await messages.next();
    if (done === true) throw new Error('the stream ended');
    list.push(value);
  }
  return list;
}

async function names(services: ServicesForTest, request: Request): Promise<(string | undefined)[]> {
  return (await all(start(services, request))).map(({ info }) => info?.name);
}

const tokenOf = (message: Response | undefined): string => message?.handle?.token ?? '';

describe('IterateHandles', () => {
  test('returns every object in id order, and keeps none open', async () => {
    const kernel = kernelOfMany();
    const services = await makeServices(kernel);
    const messages = await all(start(services, {}));
    expect(messages.map(({ info }) => [info?.id, info?.name, info?.origin, info?.isKernel])).toEqual([
      [1, 'vmlinux', Origin.VMLINUX, true],
      [2, 'vmlinux.inline', Origin.KERNEL_OTHER, true],
      [3, 'ext4', Origin.MODULE, true],
      [4, '', Origin.USER, false],
      [5, 'xfs', Origin.MODULE, true],
    ]);
    expect(
      messages.every(({ handle, info }) => handle === undefined && info?.size === intBtf('v').length),
    ).toBe(true);
    expect([kernel.openCount, services.handles.size]).toEqual([0, 0]);
  });

  test.each<[string, Request, string[]]>([
    ['an origin', { origins: [Origin.MODULE] }, ['ext4', 'xfs']],
    ['several origins', { origins: [Origin.USER, Origin.VMLINUX] }, ['vmlinux', '']],
    ['an origin of no object', { origins: [Origin.UNSPECIFIED] }, []],
    ['a glob', { nameGlobs: ['vm*'] }, ['vmlinux', 'vmlinux.inline']],
    ['several globs', { nameGlobs: ['x?s', 'ext[0-9]'] }, ['ext4', 'xfs']],
    ['origin and glob', { origins: [Origin.MODULE], nameGlobs: ['*x*', 'vmlinux'] }, ['ext4', 'xfs']],
    [
      'a glob of everything, no name included',
      { nameGlobs: ['*'] },
      ['vmlinux', 'vmlinux.inline', 'ext4', '', 'xfs'],
    ],
    ['the id before', { afterId: 3 }, ['', 'xfs']],
    ['the last id', { afterId: 5 }, []],
  ])('can be filtered by %s, and closes the other objects', async (_, request, expected) => {
    const kernel = kernelOfMany();
    const services = await makeServices(kernel);
    expect(await names(services, request)).toEqual(expected);
    expect(kernel.openCount).toBe(0);
    // The same with `hold`: only objects that are sent are held.
    const held = start(services, { ...request, hold: true });
    for (let i = 1; i <= expected.length; i++) {
      await take(held, 1);
      expect([kernel.openCount, services.handles.size]).toEqual([i, i]);
    }
    await held.return();
    expect([kernel.openCount, services.handles.size]).toEqual([0, 0]);
  });

  test.each<[string, Request, string]>([
    ['a glob that is empty', { nameGlobs: ['*', ''] }, 'name_globs[1]'],
    ['a glob that is wrong', { nameGlobs: ['[a'] }, 'name_globs[0]'],
    ['more globs than 100', { nameGlobs: Array.from({ length: 101 }, () => '*') }, 'name_globs'],
    ['an id that no object can have', { afterId: 0x7fff_ffff }, 'after_id'],
    ['the largest number', { afterId: 0xffff_ffff }, 'after_id'],
  ])('refuses %s', async (_, request, field) => {
    const services = await makeServices(kernelOfMany());
    const error = await failureOf(() => start(services, request).next());
    expect(error.reason).toBe(ErrorReason.INVALID_REQUEST);
    expect(error.violations.map((violation) => violation.field)).toEqual([field]);
  });

  test('skips an object that vanishes meanwhile', async () => {
    const kernel = kernelOfMany();
    kernel.vanishing.add(3);
    const services = await makeServices(kernel);
    expect(await names(services, {})).toEqual(['vmlinux', 'vmlinux.inline', '', 'xfs']);
  });

  test('ends when its call does, between two objects', async () => {
    const kernel = kernelOfMany();
    const services = await makeServices(kernel);
    const abort = new AbortController();
    const iterator = start(services, {}, abort.signal);
    await iterator.next();
    const reason = new Error('gone');
    abort.abort(reason);
    await expect(iterator.next()).rejects.toBe(reason);
    expect(kernel.openCount).toBe(0);
  });

  test.each<[string, Request]>([
    ['no object matches', { origins: [Origin.MODULE] }],
    ['all are sent', {}],
    ['all are sent with their digests', { details: [InfoDetail.DIGEST] }],
  ])('makes few system calls between two turns of the event loop: %s', async (_, request) => {
    const kernel = new FakeKernel();
    for (let i = 0; i < 2000; i++) kernel.addUsers(intBtf());
    const services = await makeServices(kernel);
    // As on a machine: more than a look may make in its 2 ms.
    kernel.perCall = () => services.clock.advance(0.01);
    const calls = (): number => kernel.nexts + kernel.opens + kernel.reads;
    let done = false;
    const ended = names(services, request).finally(() => {
      done = true;
    });
    let most = 0;
    for (let before = calls(); !done; before = calls()) {
      await setImmediate();
      most = Math.max(most, calls() - before);
    }
    await ended;
    expect(most).toBeLessThan(1000);
    expect(calls()).toBeGreaterThan(4000);
  });
});

describe('IterateHandles with hold', () => {
  test('returns each object with a handle that works and has no lease', async () => {
    const kernel = kernelOfMany();
    const services = await makeServices(kernel);
    const iterator = start(services, { hold: true });
    const messages = await take(iterator, 5);
    expect(new Set(messages.map(tokenOf)).size).toBe(5);
    for (const message of messages) {
      expect(services.handles.peek(LOADER, tokenOf(message)).lease).toBeNull();
      expect(message.handle?.info).toEqual(message.info);
      expect(message.handle?.grantedTtl).toBeUndefined();
      expect(message.handle?.daemonEpoch).toBe(services.handles.epoch);
    }
    expect(kernel.openCount).toBe(5);
  });

  test('ends after the last object once every handle is closed or taken', async () => {
    const kernel = kernelOfMany();
    const services = await makeServices(kernel);
    const iterator = start(services, { hold: true });
    const [first, ...others] = await take(iterator, 5);
    const end = iterator.next();
    services.handles.take(LOADER, tokenOf(first), 60_000);
    for (const other of others.slice(1)) services.handles.close(tokenOf(other));
    await setImmediate();
    expect([kernel.openCount, services.clock.timers]).toEqual([2, 2]);
    services.handles.close(tokenOf(others[0]));
    expect((await end).done).toBe(true);
    expect([kernel.openCount, services.handles.size, services.clock.timers]).toEqual([1, 1, 1]);
  });

  test('ends with HOLD_STALLED if no handle is closed or taken after the last object', async () => {
    const kernel = kernelOfMany();
    const services = await makeServices(kernel, { limits: { holdStallMs: 500 } });
    const iterator = start(services, { hold: true });
    await take(iterator, 5);
    const end = reasonOf(() => iterator.next());
    await setImmediate();
    services.clock.advance(500);
    expect(await end).toBe(ErrorReason.HOLD_STALLED);
    expect([kernel.openCount, services.handles.size, services.clock.timers]).toEqual([0, 0, 0]);
  });

  test.each<[string, (iterator: Messages, abort: AbortController, kernel: FakeKernel) => Promise<unknown>]>([
    ['its stream is returned from', (iterator) => iterator.return()],
    [
      'its call is aborted',
      (iterator, abort) => {
        abort.abort(new Error('gone'));
        return expect(iterator.next()).rejects.toThrow('gone');
      },
    ],
    [
      'it fails',
      (iterator, _, kernel) => {
        kernel.failures.open = bpfError('BPF_BTF_GET_FD_BY_ID', 'EMFILE');
        return expect(iterator.next()).rejects.toThrow('EMFILE');
      },
    ],
  ])('closes the handles that it holds, but none that was taken, when %s', async (_, end) => {
    const kernel = kernelOfMany();
    const services = await makeServices(kernel);
    const abort = new AbortController();
    const iterator = start(services, { hold: true }, abort.signal);
    const messages = await take(iterator, 3);
    const taken = tokenOf(messages[1]);
    services.handles.take(LOADER, taken, 60_000);
    await end(iterator, abort, kernel);
    expect([kernel.openCount, services.handles.size]).toEqual([1, 1]);
    expect(services.handles.close(taken)).toBe(true);
    expect([kernel.openCount, services.clock.timers]).toEqual([0, 0]);
  });

  test('never holds more than the limit, and continues when handles are closed', async () => {
    const kernel = new FakeKernel();
    for (let i = 0; i < 50; i++) kernel.addUsers(intBtf());
    const services = await makeServices(kernel, { limits: { maxHeldPerStream: 4 } });
    const iterator = start(services, { hold: true });
    const tokens: string[] = [];
    let most = 0;
    let seen = 0;
    for (;;) {
      const next = iterator.next();
      // A client that closes its first handle only when the stream waits.
      await setImmediate();
      if (tokens.length === 4) services.handles.close(tokens.shift() ?? '');
      if (seen === 50) for (const token of tokens) services.handles.close(token);
      const { done, value } = await next;
      if (done === true) break;
      seen += 1;
      tokens.push(tokenOf(value));
      most = Math.max(most, kernel.openCount);
    }
    expect([seen, most, kernel.openCount, services.clock.timers]).toEqual([50, 4, 0, 0]);
  });

  test('ends with HOLD_STALLED if no handle is closed or taken at the limit, and closes all', async () => {
    const kernel = kernelOfMany();
    const services = await makeServices(kernel, { limits: { maxHeldPerStream: 2, holdStallMs: 500 } });
    const iterator = start(services, { hold: true });
    await iterator.next();
    await iterator.next();
    const third = failureOf(() => iterator.next());
    await setImmediate();
    services.clock.advance(500);
    expect((await third).reason).toBe(ErrorReason.HOLD_STALLED);
    expect([kernel.openCount, services.handles.size, services.clock.timers]).toEqual([0, 0, 0]);
  });

  test('ends when its call does while it waits at the limit', async () => {
    const kernel = kernelOfMany();
    const services = await makeServices(kernel, { limits: { maxHeldPerStream: 1 } });
    const abort = new AbortController();
    const iterator = start(services, { hold: true }, abort.signal);
    await iterator.next();
    const second = iterator.next();
    await setImmediate();
    abort.abort(new Error('gone'));
    await expect(second).rejects.toThrow('gone');
    expect([kernel.openCount, services.clock.timers]).toEqual([0, 0]);
  });
});

describe('If the kernel’s ids cannot be listed', () => {
  async function withoutIds(dir: string): Promise<ServicesForTest> {
    const kernel = kernelOfMany();
    kernel.failures.nextId = bpfError('BPF_BTF_GET_NEXT_ID', 'EPERM');
    kernel.failures.open = bpfError('BPF_BTF_GET_FD_BY_ID', 'EPERM');
    return makeServices(kernel, { dir });
  }

  test('IterateHandles lists the files, with id 0 and without handles', async () => {
    using dir = new TempDir();
    for (const name of ['xfs', 'vmlinux']) dir.write(name, intBtf(name));
    const services = await withoutIds(dir.path);
    const messages = await all(start(services, {}));
    expect(messages.map(({ info, handle }) => [info?.id, info?.name, info?.origin, handle])).toEqual([
      [0, 'vmlinux', Origin.VMLINUX, undefined],
      [0, 'xfs', Origin.MODULE, undefined],
    ]);
    expect(await names(services, { origins: [Origin.MODULE] })).toEqual(['xfs']);
  });

  test.each([
    ['hold', { hold: true }],
    ['a start after an id', { afterId: 1 }],
  ])('it refuses %s with a reason', async (_, request) => {
    const services = await withoutIds('/nonexistent');
    expect(await reasonOf(() => start(services, request).next())).toBe(ErrorReason.DAEMON_LACKS_CAPABILITY);
  });
});
