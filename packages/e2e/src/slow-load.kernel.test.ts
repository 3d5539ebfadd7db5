import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import {
  functions,
  graphRoots,
  lists,
  longParams,
  modifierChains,
  nestedStructs,
} from '@btfd/bench/slow-btf';
import { Encoding } from '@btfd/api';
import { status } from '@grpc/grpc-js';
import { idsOfSize } from './testing/bpftool.js';
import { healthOf } from './testing/health.js';
import { until } from './testing/until.js';
import { DaemonProcess } from './testing/daemon-process.js';
import { errorInfoOf, failureOf, RawClient } from './testing/raw-client.js';
import { intBtf } from './testing/sample-btf.js';

/** One principal gets a quarter of the queue. With these limits it can fill the waiting bytes: four times --max-btf. */
const oneCaller = (maxBtf = '4MiB'): string[] => [
  '--max-queued-loads',
  '256',
  '--max-btf',
  maxBtf,
  '--max-check-time',
  '30s',
];

needs('bpf').describe('While the kernel checks a slow load', () => {
  const source = { case: 'rawBtf', value: lists(16_000) } as const;
  let daemon: DaemonProcess;
  let client: RawClient;

  beforeAll(async () => {
    daemon = await DaemonProcess.start({ args: oneCaller() });
    client = new RawClient(daemon.address);
  });
  afterAll(async () => {
    client[Symbol.dispose]();
    await daemon[Symbol.asyncDispose]();
  });

  test('health, lists, specs and leases continue to work', async () => {
    const small = { case: 'rawBtf', value: intBtf(1, 'small') } as const;
    // Long enough for a busy machine.
    const held = await client.call('loadHandle', { source: small, ttl: { seconds: 30n } });
    if (held.result.case !== 'handle') throw new Error('no handle');
    const { token } = held.result.value;
    let done = false;
    const slow = client.call('loadHandle', { source }).finally(() => (done = true));
    await client.call('getServerInfo', {});
    for await (const answer of client.stream('iterateHandles', {})) expect(answer.info).toBeDefined();
    const spec = { source: { case: 'handle', value: token }, encoding: Encoding.TYPES } as const;
    for await (const answer of client.stream('spec', spec)) expect(answer.part.case).toBeDefined();
    expect(await client.call('renewHandles', { tokens: [token] })).toMatchObject({
      results: [{ remainingTtl: { seconds: 30n } }],
    });
    expect(await healthOf(daemon.address)).toBe('SERVING');
    expect(done).toBe(false);
    await client.call('closeHandles', { tokens: [token] });
    const { result } = await slow;
    await client.call('closeHandles', { tokens: [result.case === 'handle' ? result.value.token : ''] });
  });

  test('the kernel never sees loads that were given up while they waited', async () => {
    const first = client.call('loadHandle', { source });
    const givenUp = Array.from({ length: 20 }, () =>
      failureOf(client.call('loadHandle', { source }, { deadline: Date.now() + 300 })),
    );
    expect((await Promise.all(givenUp)).map(({ code }) => code)).toEqual(
      givenUp.map(() => status.DEADLINE_EXCEEDED),
    );
    const started = performance.now();
    await first;
    const one = performance.now() - started;
    const small = await client.call('loadHandle', { source: { case: 'rawBtf', value: intBtf(1, 'small') } });
    // The kernel would have needed twenty times as long for twenty more.
    expect(performance.now() - started).toBeLessThan(Math.max(5 * one, 5_000));
    expect(small.result.case).toBe('handle');
  });

  test('a deadline ends the call on time, and the object that the kernel creates later is closed', async () => {
    const before = daemon.btfFds();
    let checked = false;
    const other = client.call('loadHandle', { source }).finally(() => (checked = true));
    const error = await failureOf(client.call('loadHandle', { source }, { deadline: Date.now() + 200 }));
    expect([error.code, checked]).toEqual([status.DEADLINE_EXCEEDED, false]);
    const { result } = await other;
    await client.call('closeHandles', { tokens: [result.case === 'handle' ? result.value.token : ''] });
    const begun = failureOf(client.call('loadHandle', { source }, { deadline: Date.now() + 100 }));
    expect((await begun).code).toBe(status.DEADLINE_EXCEEDED);
    // Waits until the kernel has checked the previous load.
    await client.call('loadHandle', {
      source: { case: 'rawBtf', value: intBtf(1, 'small') },
      ttl: { seconds: 1n },
    });
    await until('nothing more is held', () => daemon.btfFds() <= before);
  });

  test('waiting loads are bounded', async () => {
    // The kernel checks one load, five wait, and the rest are refused.
    await using other = await DaemonProcess.start({ args: oneCaller('1MiB') });
    using otherClient = new RawClient(other.address);
    const calls = Array.from({ length: 12 }, () =>
      otherClient.call('loadHandle', { source }).then(
        () => null,
        (error: unknown) => error,
      ),
    );
    const refused = (await Promise.all(calls)).filter((error) => error !== null);
    expect(refused.length).toBeGreaterThan(0);
    for (const each of refused) {
      const error = await failureOf(Promise.reject(each));
      expect([error.code, errorInfoOf(error).reason]).toEqual([status.RESOURCE_EXHAUSTED, 'LOAD_QUEUE_FULL']);
    }
  });

  test('SIGTERM ends the daemon after that load, and drops waiting loads', async () => {
    await using other = await DaemonProcess.start({ args: oneCaller() });
    using otherClient = new RawClient(other.address);
    const ends = Array.from({ length: 10 }, () =>
      failureOf(otherClient.call('loadHandle', { source })).catch(() => null),
    );
    const { daemonEpoch } = await otherClient.call('getServerInfo', {});
    expect(daemonEpoch).not.toBe('');
    expect(await other.end('SIGTERM')).toBe(0);
    const codes = (await Promise.all(ends)).flatMap((error) => (error === null ? [] : [error.code]));
    expect(new Set(codes)).toEqual(new Set([status.UNAVAILABLE]));
    expect(codes.length).toBeGreaterThanOrEqual(9);
    await until('no object of it is left', () => idsOfSize(source.value.length).length === 0);
  });

  test('SIGKILL ends the daemon after that load, and leaves nothing', async () => {
    await using other = await DaemonProcess.start({ args: oneCaller() });
    using otherClient = new RawClient(other.address);
    const lost = failureOf(otherClient.call('loadHandle', { source }));
    await otherClient.call('getServerInfo', {});
    expect(await other.end('SIGKILL')).toBeNull();
    expect((await lost).code).toBe(status.UNAVAILABLE);
    await until('no object of it is left', () => idsOfSize(source.value.length).length === 0);
  });
});

needs('bpf').describe('BTF that would keep the kernel for too long', () => {
  test.each<[string, () => Uint8Array]>([
    // The kernel would need seconds, or minutes: a kilobyte of the first causes a huge number of visits.
    ['nested structs', () => nestedStructs(29)],
    ['thousands of lists', () => lists(16_000)],
    ['functions that share a prototype', () => functions(100_000)],
    ['lists of a struct with many members', () => graphRoots(100, 20_000)],
    ['pointers to a chain of modifiers', () => modifierChains(20_000, 20_000)],
    ['names that the kernel walks for its log', () => longParams(22_000, 100_000)],
  ])('is rejected at once, before it reaches the kernel: %s', async (_, make) => {
    await using daemon = await DaemonProcess.start();
    using client = new RawClient(daemon.address);
    const error = await failureOf(client.call('loadHandle', { source: { case: 'rawBtf', value: make() } }));
    expect([error.code, errorInfoOf(error).reason]).toEqual([status.INVALID_ARGUMENT, 'BTF_TOO_EXPENSIVE']);
    const small = { case: 'rawBtf', value: intBtf(1, 'small') } as const;
    const { result } = await client.call('loadHandle', { source: small }, { deadline: Date.now() + 5_000 });
    expect(result.case).toBe('handle');
    expect(daemon.btfFds()).toBe(1);
  });

  test('is neither the kernel’s own nor a nesting of the same depth with one member per level', async () => {
    await using daemon = await DaemonProcess.start();
    using client = new RawClient(daemon.address);
    for (const value of [readFileSync('/sys/kernel/btf/vmlinux'), nestedStructs(29, 1), nestedStructs(12)]) {
      const source = { case: 'rawBtf', value: new Uint8Array(value) } as const;
      const { result } = await client.call('loadHandle', { source });
      expect(result.case).toBe('handle');
    }
  });
});
