import { setImmediate } from 'node:timers/promises';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { describe, expect, jest, test } from '@jest/globals';
import { ErrorReason, LoadHandleRequestSchema, type LoadHandleResponse } from '@btfd/api';
import { convertByteOrder, Kind } from '@btfd/btf';
import { BpfError, type VerifierLog } from '@btfd/native';
import { ERRNO_REASONS } from '../error/error-table.js';
import { toServiceError } from '../error/from-unknown.js';
import type { ServiceError } from '../error/service-error.js';
import { BtfWriter, intBtf } from '../testing/btf-bytes.js';
import { callLoad } from '../testing/call-load.js';
import { bpfError, FakeKernel, verifierLog } from '../testing/fake-kernel.js';
import { makeServices, type ServicesChoices } from '../testing/services.js';
import { failureOf } from '../testing/service-error.js';
import { callBy, callerAs, LOADER } from '../testing/callers.js';
import { withResolvers } from '../testing/grpc-harness.js';

const MIB = 1024 * 1024;
/** The most that a gRPC client receives by default, less the 4 KiB that the daemon leaves free. */
const MAX_ANSWER = 4 * MIB - 4096;

type Request = Omit<MessageInitShape<typeof LoadHandleRequestSchema>, '$typeName'>;

async function setUp(choices: ServicesChoices = {}) {
  const kernel = new FakeKernel();
  const services = await makeServices(kernel, choices);
  kernel.loads.length = 0;
  const load = async (
    request: Request,
    signal = new AbortController().signal,
    caller = LOADER,
  ): Promise<LoadHandleResponse['result']> => {
    const { result, size } = await callLoad(services, request, callBy(caller, signal));
    expect(size).toBeLessThanOrEqual(MAX_ANSWER);
    return result;
  };
  /** The error of a load that the kernel refuses. */
  const refuse = async (
    code: string,
    log: VerifierLog | null,
    request: Request = {},
  ): Promise<ServiceError> => {
    kernel.failures.load = bpfError('BPF_BTF_LOAD', code, log);
    return failureOf(async () => {
      try {
        await load({ ...raw(intBtf()), ...request });
      } catch (error) {
        throw toServiceError(error);
      }
    });
  };
  /** The rejection that a load returns. */
  const reject = async (log: VerifierLog | null, request: Request = {}, code = 'EINVAL') => {
    kernel.failures.load = bpfError('BPF_BTF_LOAD', code, log);
    const result = await load({ ...raw(intBtf()), reportRejection: true, ...request });
    if (result.case !== 'rejection') throw new Error('no rejection');
    return result.value;
  };
  return { kernel, services, load, refuse, reject };
}

function raw(bytes: Uint8Array): Request {
  return { source: { case: 'rawBtf', value: bytes } };
}

describe('LoadHandle', () => {
  test('returns a handle with a lease on the object', async () => {
    const { kernel, services, load } = await setUp();
    const bytes = intBtf();
    const result = await load(raw(bytes));
    expect(kernel.loads).toEqual([{ bytes, logSize: 256 * 1024 }]);
    if (result.case !== 'handle') throw new Error('no handle');
    const { token, info, grantedTtl, remainingTtl } = result.value;
    expect(info).toMatchObject({ isKernel: false, name: '', size: bytes.length, removed: false });
    expect([grantedTtl?.seconds, remainingTtl?.seconds]).toEqual([60n, 60n]);
    expect(kernel.ids()).toContain(info?.id);
    services.clock.advance(60_000);
    expect([kernel.openCount, kernel.ids(), services.handles.size]).toEqual([0, [], 0]);
    expect(services.handles.close(token)).toBe(false);
  });

  test.each<[string, Request, ErrorReason, string]>([
    ['no BTF', {}, ErrorReason.INVALID_REQUEST, 'source'],
    ['no bytes', raw(new Uint8Array()), ErrorReason.INVALID_REQUEST, 'raw_btf'],
    ['more than 16 MiB', raw(new Uint8Array(16 * MIB + 1)), ErrorReason.BTF_TOO_LARGE, 'raw_btf'],
    ['a TTL of 0', { ...raw(intBtf()), ttl: {} }, ErrorReason.INVALID_REQUEST, 'ttl'],
    ['a negative TTL', { ...raw(intBtf()), ttl: { seconds: -1n } }, ErrorReason.INVALID_REQUEST, 'ttl'],
    ['a log over 4 MiB', { ...raw(intBtf()), logSize: 4 * MIB + 1 }, ErrorReason.INVALID_REQUEST, 'log_size'],
  ])('refuses %s without asking the kernel', async (_, request, reason, field) => {
    const { kernel, load } = await setUp();
    const error = await failureOf(() => load(request));
    expect([error.reason, error.violations.map((violation) => violation.field)]).toEqual([reason, [field]]);
    expect(kernel.loads).toHaveLength(0);
  });

  test('says so if the BTF is of the other byte order, which the kernel’s log does not name', async () => {
    const { refuse } = await setUp();
    const source = raw(convertByteOrder(intBtf(), 'big'));
    const error = await refuse('EINVAL', verifierLog('btf_header not found'), source);
    expect(error.message).toBe(
      'the kernel refused the BTF with EINVAL: btf_header not found; ' +
        'the BTF is big-endian, but the kernel is little-endian',
    );
  });

  test('skips unknown kinds if the kernel’s own BTF gives them the same size', async () => {
    const layout = Array.from({ length: 21 }, () => [4, 0] as const);
    const withLock = new BtfWriter()
      .type(Kind.STRUCT, 'bpf_spin_lock', { sizeOrTypeId: 4 })
      .type(20, 'later', { data: [7] })
      .bytes(layout);
    const { kernel, load } = await setUp();
    expect((await failureOf(() => load(raw(withLock)))).reason).toBe(ErrorReason.BTF_UNBUILDABLE);
    kernel.add('vmlinux', new BtfWriter().bytes(layout));
    expect((await load(raw(withLock))).case).toBe('handle');
  });

  test('accepts 16 MiB from root, and 4 MiB from others', async () => {
    const { kernel, load } = await setUp();
    const signal = new AbortController().signal;
    const root = callerAs('loader', 'uid:0');
    expect((await load(raw(new Uint8Array(16 * MIB)), signal, root)).case).toBe('handle');
    expect((await load(raw(new Uint8Array(4 * MIB)))).case).toBe('handle');
    const error = await failureOf(() => load(raw(new Uint8Array(4 * MIB + 1))));
    expect(error).toMatchObject({
      reason: ErrorReason.QUOTA_EXCEEDED,
      metadata: { quota: 'btf_size', limit: String(4 * MIB) },
      quota: { subject: 'principal:uid:1000' },
      retryMs: null,
    });
    expect(kernel.openCount).toBe(2);
  });

  test('returns size and limit of BTF that is too large', async () => {
    const { load } = await setUp();
    const error = await failureOf(() => load(raw(new Uint8Array(16 * MIB + 7))));
    expect(error.metadata).toEqual({ size: '16777223', limit: '16777216' });
  });

  test.each([
    ['1 ms', { nanos: 1e6 }, 1n],
    ['90.5 s', { seconds: 90n, nanos: 5e8 }, 90n],
    ['2 s and a nanosecond', { seconds: 2n, nanos: 1 }, 2n],
    ['a year', { seconds: 31_536_000n }, 3600n],
    ['the longest Duration', { seconds: 315_576_000_000n }, 3600n],
  ])('grants a TTL within the limits for %s', async (_, ttl, seconds) => {
    const { load } = await setUp();
    const result = await load({ ...raw(intBtf()), ttl });
    expect(result).toMatchObject({ case: 'handle', value: { grantedTtl: { seconds } } });
  });

  test('needs a worker only if somebody has to look at the types', async () => {
    const { services, load, kernel } = await setUp();
    const run = jest.spyOn(services.workers, 'run');
    const special = intBtf('bpf_spin_lock');
    await load(raw(intBtf()));
    expect([run.mock.calls.length, kernel.loads.at(-1)?.bytes]).toEqual([0, intBtf()]);
    await load(raw(special));
    expect([run.mock.calls.length, kernel.loads.at(-1)?.bytes]).toEqual([1, special]);
    await load({ ...raw(intBtf()), adaptToKernel: true });
    expect(run).toHaveBeenCalledTimes(2);
    const strict = await setUp({ limits: { maxCheckMs: 0.5 } });
    const strictRun = jest.spyOn(strict.services.workers, 'run');
    await strict.load(raw(intBtf()));
    expect(strictRun).toHaveBeenCalledTimes(1);
  });

  test('says why the daemon may not load', async () => {
    const kernel = new FakeKernel();
    kernel.granted = { sysAdmin: false, bpf: false };
    kernel.failures.load = bpfError('BPF_BTF_LOAD', 'EPERM');
    const services = await makeServices(kernel);
    const error = await failureOf(() => callLoad(services, raw(intBtf()), callBy()));
    expect(error.reason).toBe(ErrorReason.DAEMON_LACKS_CAPABILITY);
    expect(error.message).toContain('lacks CAP_BPF');
  });

  test('closes the object when the client went away during the load', async () => {
    const { kernel, services, load } = await setUp();
    let finish = (): void => {};
    kernel.loadGate = new Promise((resolve) => (finish = resolve));
    const abort = new AbortController();
    const reason = new Error('gone');
    const answer = load(raw(intBtf()), abort.signal);
    await setImmediate();
    abort.abort(reason);
    finish();
    await expect(answer).rejects.toBe(reason);
    expect([kernel.openCount, kernel.ids(), services.handles.size]).toEqual([0, [], 0]);
  });

  test('notes the id of the object that it closes because the client went away', async () => {
    const { kernel, services } = await setUp();
    const loading = withResolvers();
    const gate = withResolvers();
    kernel.loadGate = gate.promise;
    const load = kernel.load.bind(kernel);
    jest.spyOn(kernel, 'load').mockImplementation(async (...args) => {
      loading.resolve();
      return load(...args);
    });
    const abort = new AbortController();
    const note = jest.fn();
    const answer = callLoad(services, raw(intBtf()), { ...callBy(undefined, abort.signal), note });
    await loading.promise;
    abort.abort(new Error('gone'));
    gate.resolve();
    await expect(answer).rejects.toThrow('gone');
    expect(note.mock.calls).toContainEqual([{ btfId: expect.any(Number) }]);
    expect([kernel.openCount, services.handles.size]).toEqual([0, 0]);
  });

  test('closes the object if its info cannot be read', async () => {
    const { kernel, load } = await setUp();
    kernel.failures.info = bpfError('BPF_OBJ_GET_INFO_BY_FD', 'ENOMEM');
    await expect(load(raw(intBtf()))).rejects.toThrow('ENOMEM');
    expect(kernel.openCount).toBe(0);
  });
});

describe('A load that fails', () => {
  const SHORTAGES = ['EPERM', 'EACCES', 'EMFILE', 'ENFILE', 'ENOMEM', 'ENOSYS'];

  test.each(Object.entries(ERRNO_REASONS))(
    'with %s and no log has the reason of the errno',
    async (code, reason) => {
      const { refuse } = await setUp();
      const error = await refuse(code, null);
      expect([error.reason, error.metadata['errno_name'], error.metadata['command']]).toEqual([
        reason,
        code,
        'BPF_BTF_LOAD',
      ]);
    },
  );

  test.each([
    ['EINVAL', null],
    ['EINVAL', verifierLog('Invalid kind:0')],
    ['ENOTSUPP', verifierLog('Unsupported version')],
    ['ENOTSUP', verifierLog('no such thing')],
    ['E2BIG', verifierLog('too many types')],
    ['EEXIST', verifierLog('twice')],
    ['ENOENT', verifierLog('nothing there')],
  ])('with %s is a rejection if the kernel said why (EINVAL always is)', async (code, log) => {
    const { refuse, reject } = await setUp();
    const error = await refuse(code, log);
    expect(error.reason).toBe(ErrorReason.VERIFIER_REJECTED);
    expect(error.metadata).toMatchObject({
      errno_name: code,
      log: log === null ? '' : Buffer.from(log.text).toString(),
    });
    expect(await reject(log, {}, code)).toMatchObject({ errnoName: code });
  });

  test.each(SHORTAGES.filter((code) => code !== 'ENOSYS'))(
    'with %s is not a rejection, whatever the kernel wrote',
    async (code) => {
      const { refuse } = await setUp();
      const error = await refuse(code, verifierLog('[1] INT int size=4'), { reportRejection: true });
      expect(error.reason).toBe(ERRNO_REASONS[code]);
    },
  );

  test.each(['E2BIG', 'EFAULT', 'EAGAIN', 'EBUSY'])(
    'with %s and no log of the kernel is internal',
    async (code) => {
      const { refuse } = await setUp();
      expect((await refuse(code, null)).reason).toBe(ErrorReason.INTERNAL);
      expect((await refuse(code, verifierLog(''))).reason).toBe(ErrorReason.INTERNAL);
    },
  );

  test('in another command than BPF_BTF_LOAD is not a rejection', async () => {
    const { kernel, load } = await setUp();
    kernel.failures.info = bpfError('BPF_OBJ_GET_INFO_BY_FD', 'EINVAL');
    await expect(load({ ...raw(intBtf()), reportRejection: true })).rejects.toBeInstanceOf(BpfError);
  });
});

describe('The error of a rejection', () => {
  test('has errno, log and true size, and the last line in its message', async () => {
    const { refuse } = await setUp();
    const error = await refuse('EINVAL', verifierLog('magic: 0xeb9f\n[1] INT int\n[2] Invalid kind:0\n'));
    expect(error.message).toBe('the kernel refused the BTF with EINVAL: [2] Invalid kind:0');
    expect(error.metadata).toEqual({
      errno: '22',
      errno_name: 'EINVAL',
      log: 'magic: 0xeb9f\n[1] INT int\n[2] Invalid kind:0\n',
      log_truncated: 'false',
      log_true_size: '46',
    });
  });

  test.each<[string, VerifierLog, { log: string; log_truncated: string; log_true_size?: string }]>([
    [
      'has exactly 3 KiB is whole',
      verifierLog('x'.repeat(3072)),
      { log: 'x'.repeat(3072), log_truncated: 'false' },
    ],
    [
      'has one byte more keeps its tail',
      verifierLog(`<${'x'.repeat(3071)}>`),
      { log: `${'x'.repeat(3071)}>`, log_truncated: 'true', log_true_size: '3074' },
    ],
    [
      'was cut by the kernel says so',
      verifierLog('tail', { truncated: true, trueSize: 9_800_000 }),
      { log: 'tail', log_truncated: 'true', log_true_size: '9800000' },
    ],
    [
      'begins with a whole character',
      verifierLog(`é${'x'.repeat(3071)}`),
      { log: 'x'.repeat(3071), log_truncated: 'true' },
    ],
  ])('with a log that %s', async (_, log, expected) => {
    const { refuse } = await setUp();
    expect((await refuse('EINVAL', log)).metadata).toMatchObject(expected);
  });

  test('has no true size if the kernel gives none', async () => {
    const { refuse } = await setUp();
    const { metadata } = await refuse('EINVAL', verifierLog('short', { trueSize: null }));
    expect(Object.keys(metadata)).not.toContain('log_true_size');
  });
});

describe('A rejection as a result', () => {
  test('has the log unchanged', async () => {
    const { reject } = await setUp();
    const log = verifierLog('x'.repeat(200_000), { truncated: true, trueSize: 1_000_000 });
    expect(await reject(log)).toMatchObject({
      errno: 22,
      errnoName: 'EINVAL',
      log: { text: 'x'.repeat(200_000), truncated: true, trueSize: 1_000_000 },
    });
  });

  test('has no log if there is none', async () => {
    const { reject } = await setUp();
    expect((await reject(null)).log).toBeUndefined();
  });

  test('has the true size 0 if the kernel gives none', async () => {
    const { reject } = await setUp();
    expect((await reject(verifierLog('x', { trueSize: null }))).log?.trueSize).toBe(0);
  });

  test.each([
    [0, 256 * 1024],
    [1, 128],
    [127, 128],
    [128, 128],
    [1_000_000, 1_000_000],
    [4 * MIB, 4 * MIB],
  ])(
    'for log_size %i asks the kernel, which accepts no less than 128, for %i bytes',
    async (logSize, asked) => {
      const { kernel, load } = await setUp();
      await load({ ...raw(intBtf()), logSize });
      expect(kernel.loads[0]?.logSize).toBe(asked);
    },
  );

  test('keeps no more of the log than requested', async () => {
    const { reject } = await setUp();
    const { log } = await reject(verifierLog(`${'x'.repeat(100)}end`), { logSize: 3 });
    expect(log).toMatchObject({ text: 'end', truncated: true, trueSize: 104 });
  });

  test.each<[string, Uint8Array]>([
    ['ASCII', Buffer.alloc(4 * MIB - 1, 'a')],
    ['bytes that are no UTF-8', Buffer.alloc(4 * MIB - 1, 0xff)],
    ['characters of three bytes', Buffer.from('€'.repeat((4 * MIB) / 3))],
    ['characters of four bytes', Buffer.from('😀'.repeat(MIB))],
    [
      'half bytes, half letters',
      Buffer.concat([Buffer.alloc(2 * MIB, 0xff), Buffer.alloc(2 * MIB - 1, 'a')]),
    ],
  ])(
    'of 4 MiB of %s fits into what clients receive, keeps the tail, and shows that it was cut',
    async (_, bytes) => {
      const { reject } = await setUp();
      const end = Buffer.from('\n[9] last line\n');
      const { log } = await reject(verifierLog(Buffer.concat([bytes.subarray(end.length), end])), {
        logSize: 4 * MIB,
      });
      expect(log?.truncated).toBe(true);
      expect(log?.text.endsWith('\n[9] last line\n')).toBe(true);
      expect(Buffer.byteLength(log?.text ?? '')).toBeGreaterThan(MAX_ANSWER - 1024);
      expect(log?.trueSize).toBe(bytes.length + 1);
    },
  );
});
