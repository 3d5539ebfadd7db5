import { create } from '@bufbuild/protobuf';
import { describe, expect, test } from '@jest/globals';
import {
  BtfService,
  CloneHandleResponseSchema,
  ErrorReason,
  GetHandleByIdResponseSchema,
  GetHandleInfoResponseSchema,
  Mode,
  Operation,
  Origin,
  TakeHandleResponseSchema,
  type Handle,
} from '@btfd/api';
import { Hold } from '../handle/hold.js';
import { newToken } from '../handle/handle-table.js';
import { intBtf } from '../testing/btf-bytes.js';
import { bpfError, FakeKernel } from '../testing/fake-kernel.js';
import { EPOCH, makeServices, type ServicesForTest } from '../testing/services.js';
import { failureOf, reasonOf } from '../testing/service-error.js';
import { cloneHandle } from './clone-handle.js';
import { closeHandles } from './close-handles.js';
import { getHandleById } from './get-handle-by-id.js';
import { getHandleInfo } from './get-handle-info.js';
import { getServerInfo } from './get-server-info.js';
import { renewHandles } from './renew-handles.js';
import { takeHandle } from './take-handle.js';
import { callBy, LOADER } from '../testing/callers.js';

const MINUTE = 60_000;

async function setUp(limits = {}) {
  const kernel = new FakeKernel();
  const id = kernel.add('mod', intBtf());
  const services = await makeServices(kernel, { limits });
  const open = async (ttl?: { seconds: bigint }): Promise<Handle> => {
    const answer = await getHandleById(services)(
      create(BtfService.method.getHandleById.input, ttl ? { id, ttl } : { id }),
      callBy(),
    );
    return required(create(GetHandleByIdResponseSchema, answer).handle);
  };
  return { kernel, id, services, open };
}

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('it is missing');
  return value;
}

const infoOf = async (services: ServicesForTest, token: string): Promise<Handle> => {
  const request = create(BtfService.method.getHandleInfo.input, { token });
  const answer = await getHandleInfo(services)(request, callBy());
  return required(create(GetHandleInfoResponseSchema, answer).handle);
};

describe('GetHandleById', () => {
  test('returns a handle with a lease on the object', async () => {
    const { kernel, id, services, open } = await setUp();
    const handle = await open({ seconds: 90n });
    expect(handle).toMatchObject({
      info: { id, name: 'mod', origin: Origin.MODULE, isKernel: true, size: intBtf().length, removed: false },
      grantedTtl: { seconds: 90n },
      remainingTtl: { seconds: 90n },
      daemonEpoch: EPOCH,
    });
    services.clock.advance(90_000);
    expect(kernel.openCount).toBe(0);
  });

  test.each([
    [0, ErrorReason.INVALID_REQUEST],
    [99, ErrorReason.BTF_ID_NOT_FOUND],
    [0xffff_ffff, ErrorReason.BTF_ID_NOT_FOUND],
  ])('refuses the id %i', async (id, reason) => {
    const { services } = await setUp();
    const request = create(BtfService.method.getHandleById.input, { id });
    const error = await failureOf(() => getHandleById(services)(request, callBy()));
    expect(error.reason).toBe(reason);
    if (reason === ErrorReason.BTF_ID_NOT_FOUND) expect(error.metadata).toEqual({ id: String(id) });
  });

  test('grants nothing to a client that leaves meanwhile', async () => {
    const { kernel, id, services } = await setUp();
    const leaving = new AbortController();
    const request = create(BtfService.method.getHandleById.input, { id });
    const answer = getHandleById(services)(request, callBy(LOADER, leaving.signal));
    leaving.abort();
    await expect(answer).rejects.toThrow('aborted');
    expect([kernel.openCount, services.handles.leases.granted]).toEqual([0, 0]);
  });

  test('closes an object whose info cannot be read', async () => {
    const { kernel, open } = await setUp();
    kernel.failures.info = bpfError('BPF_OBJ_GET_INFO_BY_FD', 'ENOMEM');
    await expect(open()).rejects.toThrow('ENOMEM');
    expect(kernel.openCount).toBe(0);
  });
});

describe('GetHandleInfo', () => {
  test('returns the remaining TTL, rounded up, and renews nothing', async () => {
    const { kernel, services, open } = await setUp();
    const { token } = await open();
    services.clock.advance(30_000.25);
    expect(await infoOf(services, token)).toMatchObject({
      token,
      grantedTtl: { seconds: 60n },
      remainingTtl: { seconds: 30n, nanos: 0 },
    });
    services.clock.advance(30_000);
    expect(kernel.openCount).toBe(0);
  });

  test('returns no lease for a handle that a stream holds', async () => {
    const { kernel, id, services } = await setUp();
    const object = kernel.open(id);
    const held = services.handles.hold(LOADER, object, object.info(), new Hold(1, 1, services.clock));
    const { grantedTtl, remainingTtl } = await infoOf(services, held.token);
    expect([grantedTtl, remainingTtl]).toEqual([undefined, undefined]);
  });

  test.each([
    ['reports id 0', true],
    ['continues to report the id', false],
  ])('reports a removed module’s object, with its last id, if the kernel %s', async (_, zero) => {
    const { kernel, id, services, open } = await setUp();
    const { token } = await open();
    expect((await infoOf(services, token)).info).toMatchObject({ id, removed: false });
    if (zero) kernel.remove(id);
    else kernel.vanishing.add(id);
    expect((await infoOf(services, token)).info).toMatchObject({ id, name: 'mod', removed: true });
    expect(kernel.openCount).toBe(1);
  });

  test('does not open a user’s object to check for removal: it cannot be removed while it is held', async () => {
    const { kernel, services } = await setUp();
    const object = kernel.open(kernel.addUsers(intBtf()));
    const { token } = services.handles.grant(LOADER, object, object.info(), MINUTE);
    kernel.failures.open = bpfError('BPF_BTF_GET_FD_BY_ID', 'EPERM');
    expect((await infoOf(services, token)).info).toMatchObject({ removed: false });
  });
});

describe('CloneHandle', () => {
  const clone = async (services: ServicesForTest, token: string): Promise<Handle> => {
    const request = create(BtfService.method.cloneHandle.input, { token, ttl: { seconds: 10n } });
    return required(create(CloneHandleResponseSchema, await cloneHandle(services)(request, callBy())).handle);
  };

  test('returns a second handle on the object, with a lease of its own', async () => {
    const { kernel, services, open } = await setUp();
    const original = await open();
    const copy = await clone(services, original.token);
    expect(copy.token).not.toBe(original.token);
    expect(copy).toMatchObject({ info: { id: original.info?.id }, grantedTtl: { seconds: 10n } });
    services.handles.close(original.token);
    expect(kernel.openCount).toBe(1);
    expect((await infoOf(services, copy.token)).info).toMatchObject({ name: 'mod' });
    services.clock.advance(10_000);
    expect(kernel.openCount).toBe(0);
  });

  test('renews the handle that it clones', async () => {
    const { services, open } = await setUp();
    const { token } = await open();
    services.clock.advance(50_000);
    await clone(services, token);
    expect((await infoOf(services, token)).remainingTtl?.seconds).toBe(60n);
  });

  test('does not change the original if there is no file descriptor left', async () => {
    const { kernel, services, open } = await setUp();
    const { token } = await open();
    kernel.failures.dup = bpfError('dup', 'EMFILE');
    await expect(clone(services, token)).rejects.toThrow('EMFILE');
    expect(services.handles.size).toBe(1);
    services.clock.advance(MINUTE);
    expect([services.handles.size, kernel.openCount]).toEqual([0, 0]);
  });
});

test('TakeHandle gives a held handle a lease with the requested TTL, and returns the same when repeated', async () => {
  const { kernel, id, services } = await setUp();
  const object = kernel.open(id);
  const { token } = services.handles.hold(LOADER, object, object.info(), new Hold(1, 1, services.clock));
  const take = async (): Promise<Handle> => {
    const request = create(BtfService.method.takeHandle.input, { token, ttl: { seconds: 5n } });
    return required(create(TakeHandleResponseSchema, await takeHandle(services)(request, callBy())).handle);
  };
  const first = await take();
  expect(first).toMatchObject({ token, grantedTtl: { seconds: 5n }, remainingTtl: { seconds: 5n } });
  services.clock.advance(3000);
  expect(await take()).toEqual(first);
});

describe('With many tokens', () => {
  test('RenewHandles returns whether each is open, and its remaining TTL', async () => {
    const { kernel, id, services, open } = await setUp();
    const { token } = await open();
    const object = kernel.open(id);
    const held = services.handles.hold(LOADER, object, object.info(), new Hold(1, 1, services.clock));
    services.clock.advance(50_000);
    const tokens = [token, newToken(EPOCH), held.token, '', token];
    const answer = await renewHandles(services)(
      create(BtfService.method.renewHandles.input, { tokens }),
      callBy(),
    );
    const { results } = create(BtfService.method.renewHandles.output, answer);
    expect(results.map(({ open: isOpen, remainingTtl }) => [isOpen, remainingTtl?.seconds])).toEqual([
      [true, 60n],
      [false, undefined],
      [true, undefined],
      [false, undefined],
      [true, 60n],
    ]);
    services.clock.advance(59_999);
    expect(kernel.openCount).toBe(2);
  });

  test('CloseHandles returns whether each was open', async () => {
    const { kernel, services, open } = await setUp();
    const { token } = await open();
    const tokens = [token, newToken('fedcba9876543210'), token, ''];
    const answer = await closeHandles(services)(
      create(BtfService.method.closeHandles.input, { tokens }),
      callBy(),
    );
    expect(answer.wasOpen).toEqual([true, false, false, false]);
    expect(kernel.openCount).toBe(0);
  });

  test.each<[string, (services: ServicesForTest, tokens: string[]) => unknown]>([
    [
      'RenewHandles',
      (services, tokens) =>
        renewHandles(services)(create(BtfService.method.renewHandles.input, { tokens }), callBy()),
    ],
    [
      'CloseHandles',
      (services, tokens) =>
        closeHandles(services)(create(BtfService.method.closeHandles.input, { tokens }), callBy()),
    ],
  ])('%s accepts at most 1000', async (_, call) => {
    const { services, open } = await setUp();
    const { token } = await open();
    const tokens = Array.from({ length: 1000 }, () => 'x');
    await call(services, tokens);
    const error = await failureOf(() => call(services, [token, ...tokens]));
    expect([error.reason, error.violations[0]?.field]).toEqual([ErrorReason.INVALID_REQUEST, 'tokens']);
    expect(services.handles.size).toBe(1);
  });
});

describe('A token without a handle is refused by', () => {
  type Call = (services: ServicesForTest, token: string) => unknown;
  const { method } = BtfService;
  test.each<[string, Call]>([
    [
      'TakeHandle',
      (services, token) => takeHandle(services)(create(method.takeHandle.input, { token }), callBy()),
    ],
    [
      'CloneHandle',
      (services, token) => cloneHandle(services)(create(method.cloneHandle.input, { token }), callBy()),
    ],
    ['GetHandleInfo', (services, token) => infoOf(services, token)],
  ])('%s', async (_, call) => {
    const { services } = await setUp();
    expect(await reasonOf(() => call(services, ''))).toBe(ErrorReason.INVALID_REQUEST);
    expect(await reasonOf(() => call(services, newToken(EPOCH)))).toBe(ErrorReason.HANDLE_NOT_FOUND);
    const foreign = newToken('fedcba9876543210');
    expect(await reasonOf(() => call(services, foreign))).toBe(ErrorReason.HANDLE_OF_EARLIER_DAEMON);
  });
});

test('GetServerInfo returns mode, operations with reasons, capabilities and limits', async () => {
  const kernel = new FakeKernel();
  kernel.failures.nextId = bpfError('BPF_BTF_GET_NEXT_ID', 'EPERM');
  kernel.failures.open = bpfError('BPF_BTF_GET_FD_BY_ID', 'EPERM');
  kernel.granted = { sysAdmin: false, bpf: true };
  const services = await makeServices(kernel, { dir: '/sys/kernel/btf' });
  const answer = await getServerInfo(services)(create(BtfService.method.getServerInfo.input), callBy());
  const info = create(BtfService.method.getServerInfo.output, answer);
  const reason = expect.stringContaining('CAP_SYS_ADMIN');
  expect(info).toMatchObject({
    daemonEpoch: EPOCH,
    mode: Mode.LOAD_AND_FILES,
    btfDir: '/sys/kernel/btf',
    operations: [
      { operation: Operation.LOAD, available: true, reason: '' },
      { operation: Operation.OPEN_BY_ID, available: false, reason },
      { operation: Operation.LIST_IDS, available: false, reason },
      { operation: Operation.SPEC_BY_NAME, available: true, reason: '' },
      { operation: Operation.HOLD_KERNEL, available: false, reason },
    ],
    capabilities: { sysAdmin: false, bpf: true },
    limits: {
      maxLoadMessageBytes: 17 << 20,
      maxMessageBytes: 65_536,
      maxBtfBytes: 16 << 20,
      minTtl: { seconds: 1n },
      maxTtl: { seconds: 3600n },
      defaultTtl: { seconds: 60n },
      maxHeldPerStream: 64,
      holdStallTimeout: { seconds: 30n },
      maxLogBytes: 4 << 20,
      maxTokens: 1000,
    },
  });
  expect(info.bootId).toMatch(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  expect([info.kernelRelease, info.machine]).not.toContain('');
});
