import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { status } from '@grpc/grpc-js';
import type { Handle } from '@btfd/api';
import { btfIds } from './testing/bpftool.js';
import { DaemonProcess } from './testing/daemon-process.js';
import { errorInfoOf, failureOf, RawClient } from './testing/raw-client.js';
import { intBtf, rawBtf as btfOf, refusedBtf } from './testing/sample-btf.js';
import { until } from './testing/until.js';

const MIB = 1024 * 1024;

needs('bpf').describe('LoadHandle', () => {
  let daemon: DaemonProcess;
  let client: RawClient;

  beforeAll(async () => {
    daemon = await DaemonProcess.start();
    client = new RawClient(daemon.address);
  });
  afterAll(async () => {
    client[Symbol.dispose]();
    await daemon[Symbol.asyncDispose]();
  });

  async function load(rawBtf: Uint8Array, ttlSeconds?: bigint): Promise<Handle> {
    const ttl = ttlSeconds === undefined ? {} : { ttl: { seconds: ttlSeconds } };
    const { result } = await client.call('loadHandle', { source: { case: 'rawBtf', value: rawBtf }, ...ttl });
    if (result.case !== 'handle') throw new Error('no handle');
    return result.value;
  }

  const idOf = (handle: Handle): number => handle.info?.id ?? 0;
  const isGone = (handle: Handle) => until('the object is gone', () => !btfIds().includes(idOf(handle)));

  test('returns a handle on an object that the kernel lists until CloseHandles', async () => {
    const handle = await load(intBtf(1, 'loaded'));
    expect(btfIds()).toContain(idOf(handle));
    expect(handle.info).toMatchObject({
      name: '',
      isKernel: false,
      size: intBtf(1, 'loaded').length,
      removed: false,
    });
    const twice = await client.call('closeHandles', { tokens: [handle.token, handle.token, 'made up'] });
    expect(twice.wasOpen).toEqual([true, false, false]);
    await isGone(handle);
  });

  test('grants a lease, and the object is gone when it expires', async () => {
    const handle = await load(intBtf(1, 'leased'), 1n);
    expect(handle.grantedTtl?.seconds).toBe(1n);
    expect(btfIds()).toContain(idOf(handle));
    await isGone(handle);
    const error = await failureOf(client.call('getHandleInfo', { token: handle.token }));
    expect([error.code, errorInfoOf(error).reason]).toEqual([status.NOT_FOUND, 'HANDLE_NOT_FOUND']);
  });

  test('grants a lease that RenewHandles extends and GetHandleInfo does not', async () => {
    const renewed = await load(intBtf(1, 'renewed'), 1n);
    const looked = await load(intBtf(1, 'looked'), 1n);
    const end = performance.now() + 2_500;
    while (performance.now() < end) {
      await client.call('renewHandles', { tokens: [renewed.token] });
      await client.call('getHandleInfo', { token: looked.token }).catch(() => null);
    }
    const { results } = await client.call('renewHandles', { tokens: [renewed.token, looked.token] });
    expect(results.map(({ open }) => open)).toEqual([true, false]);
    await client.call('closeHandles', { tokens: [renewed.token] });
  });

  test('clamps TTLs to the daemon’s limits, and rejects invalid ones', async () => {
    const handle = await load(intBtf(1, 'long'), 1_000_000n);
    expect(handle.grantedTtl?.seconds).toBe(3600n);
    await client.call('closeHandles', { tokens: [handle.token] });
    const error = await failureOf(load(intBtf(1, 'negative'), -5n));
    expect([error.code, errorInfoOf(error).reason]).toEqual([status.INVALID_ARGUMENT, 'INVALID_REQUEST']);
  });

  test('a clone outlives its original', async () => {
    const original = await load(intBtf(1, 'original'));
    const { handle: clone } = await client.call('cloneHandle', { token: original.token });
    expect(clone?.token).not.toBe(original.token);
    await client.call('closeHandles', { tokens: [original.token] });
    const { handle: alive } = await client.call('getHandleInfo', { token: clone?.token ?? '' });
    expect(alive?.info?.id).toBe(idOf(original));
    expect(btfIds()).toContain(idOf(original));
    await client.call('closeHandles', { tokens: [clone?.token ?? ''] });
    await isGone(original);
  });

  test.each(['SIGTERM', 'SIGKILL'] as const)(
    'loaded objects are gone after %s ends the daemon',
    async (signal) => {
      await using other = await DaemonProcess.start();
      using otherClient = new RawClient(other.address);
      const { result } = await otherClient.call('loadHandle', {
        source: { case: 'rawBtf', value: intBtf(1, 'x') },
      });
      const handle = result.case === 'handle' ? result.value : undefined;
      expect(btfIds()).toContain(handle?.info?.id);
      expect(await other.end(signal)).toBe(signal === 'SIGTERM' ? 0 : null);
      await until('the object is gone', () => !btfIds().includes(handle?.info?.id ?? 0));
    },
  );

  test('rejects BTF that the kernel rejects, with the kernel’s own log', async () => {
    const error = await failureOf(load(refusedBtf(2, 'refused')));
    expect(error.code).toBe(status.INVALID_ARGUMENT);
    const { reason, metadata } = errorInfoOf(error);
    expect(reason).toBe('VERIFIER_REJECTED');
    expect(metadata).toMatchObject({ errno: '22', errno_name: 'EINVAL', log_truncated: 'false' });
    expect(metadata['log']).toContain('[1] INT refused size=4 bits_offset=0 nr_bits=32');
    expect(metadata['log']).toContain('Invalid kind');
  });

  test('leaves kinds of later kernels to the kernel, unless the kernel might search the BTF for long', async () => {
    const kind = 100;
    const words = [1, 1 << 24, 4, 32, 0, kind << 24, 0];
    const refused = errorInfoOf(await failureOf(load(btfOf(words, '\0int\0'))));
    expect(refused.reason).toBe('VERIFIER_REJECTED');
    // Linux before 7.2 reads five bits of the kind and rejects the others as invalid.
    expect(refused.metadata['log']).toMatch(/Invalid (kind:100|btf_info)/);
    const unjudged = errorInfoOf(await failureOf(load(btfOf(words, '\0bpf_spin_lock\0'))));
    expect([unjudged.reason, unjudged.metadata['type_id']]).toEqual(['BTF_UNBUILDABLE', '2']);
  });

  test('an error has the tail of a log that does not fit, the truncation and the true size', async () => {
    const error = await failureOf(load(refusedBtf(5_000, 'refused')));
    const { metadata } = errorInfoOf(error);
    expect(metadata['log']?.length).toBeGreaterThan(2_000);
    expect(metadata['log']).toContain('Invalid kind');
    expect(metadata['log']).not.toContain('[1] INT');
    expect(metadata['log_truncated']).toBe('true');
    // Each type has a line of at least 50 bytes.
    expect(Number(metadata['log_true_size'])).toBeGreaterThan(5_000 * 50);
  });

  test('returns a rejection with up to 4 MiB of log on request', async () => {
    const { result } = await client.call('loadHandle', {
      source: { case: 'rawBtf', value: refusedBtf(50_000, 'refused') },
      reportRejection: true,
      logSize: 4 * MIB,
    });
    if (result.case !== 'rejection') throw new Error('not rejected');
    expect(result.value.errnoName).toBe('EINVAL');
    const { text = '', truncated, trueSize } = result.value.log ?? {};
    expect(truncated).toBe(false);
    expect(text.length).toBe(Number(trueSize) - 1);
    expect(text.startsWith('magic: 0xeb9f')).toBe(true);
    expect(text).toContain('[49999] INT refused');
  });

  test('stays within bounds with BTF that makes the kernel print tens of MB', async () => {
    const rawBtf = refusedBtf(900_000, 'n'.repeat(100));
    const before = daemon.residentBytes();
    const { result } = await client.call('loadHandle', {
      source: { case: 'rawBtf', value: rawBtf },
      reportRejection: true,
      logSize: 4 * MIB,
    });
    if (result.case !== 'rejection') throw new Error('not rejected');
    const { text = '', truncated, trueSize = 0 } = result.value.log ?? {};
    expect(trueSize).toBeGreaterThan(40 * MIB);
    expect(truncated).toBe(true);
    expect(text.length).toBeLessThanOrEqual(4 * MIB);
    expect(text).toContain('Invalid kind');
    // The request, its copy for the kernel, and the returned log, but not all that the kernel printed.
    expect(daemon.residentBytes() - before).toBeLessThan(120 * MIB);
  });

  test('rejects BTF that fits the message but exceeds the kernel’s 16 MiB, and loads 15 MiB', async () => {
    const error = await failureOf(load(intBtf(MIB + 1, 'large')));
    expect([error.code, errorInfoOf(error).reason]).toEqual([status.INVALID_ARGUMENT, 'BTF_TOO_LARGE']);
    const huge = await failureOf(load(intBtf(2 * MIB, 'huge')));
    expect(huge.code).toBe(status.RESOURCE_EXHAUSTED);
    const handle = await load(intBtf((15 * MIB) / 16, 'n'));
    expect(handle.info?.size).toBeGreaterThan(15 * MIB);
    await client.call('closeHandles', { tokens: [handle.token] });
  });

  test('an invented token and one of an earlier run are NOT_FOUND, each with its own reason', async () => {
    await using other = await DaemonProcess.start();
    using otherClient = new RawClient(other.address);
    const handle = await load(intBtf(1, 'mine'));
    const earlier = await failureOf(otherClient.call('cloneHandle', { token: handle.token }));
    expect([earlier.code, errorInfoOf(earlier).reason]).toEqual([
      status.NOT_FOUND,
      'HANDLE_OF_EARLIER_DAEMON',
    ]);
    const { daemonEpoch } = await otherClient.call('getServerInfo', {});
    expect(errorInfoOf(earlier).metadata).toEqual({ daemon_epoch: daemonEpoch });
    for (const token of ['made up', `${daemonEpoch}.AAAAAAAAAAAAAAAAAAAAAA`]) {
      const error = await failureOf(otherClient.call('takeHandle', { token }));
      expect([error.code, errorInfoOf(error).reason]).toEqual([status.NOT_FOUND, 'HANDLE_NOT_FOUND']);
    }
    await client.call('closeHandles', { tokens: [handle.token] });
  });
});
