import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { toBinary } from '@bufbuild/protobuf';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { seeded } from 'test-tools/random';
import { objectOfFindings } from '@btfd/bench/hostile-object';
import { BpfLoader, CheckObjectResponseSchema } from '@btfd/api';
import { Builder, checkObject, findBpfObjects, parseBpfObject, Spec, VERDICTS } from '@btfd/btf';
import { status } from '@grpc/grpc-js';
import { plainReport, receiveReport } from './testing/checked-object.js';
import { DaemonProcess } from './testing/daemon-process.js';
import { errorInfoOf, failureOf, RawClient } from './testing/raw-client.js';
import { until } from './testing/until.js';

const CORPUS = fileURLToPath(new URL('../../../.cache/objects/libbpf-tools/', import.meta.url));
const TESTDATA = fileURLToPath(new URL('../../btf/src/check/testdata/', import.meta.url));

const MIB = 1024 * 1024;

const LOADERS = [
  ['libbpf', BpfLoader.LIBBPF],
  ['cilium', BpfLoader.CILIUM_EBPF],
] as const;

function testObject(name: string): Uint8Array {
  return new Uint8Array(readFileSync(join(TESTDATA, `${name}.bpf.o`)));
}

function vmlinux(): Uint8Array {
  return new Uint8Array(readFileSync('/sys/kernel/btf/vmlinux'));
}

/** BTF of a kernel that has nothing but a number. */
function emptyKernel(): Uint8Array {
  const builder = new Builder();
  builder.add({ kind: 'INT', name: 'int', size: 4, encoding: 1, bits: 32, bitOffset: 0 });
  return builder.marshal();
}

function codeOf(error: unknown): number {
  return error instanceof Error && 'code' in error ? Number(error.code) : -1;
}

const everything = (): boolean => true;
const fromGuarded = (verdict: string): boolean =>
  VERDICTS.findIndex((each) => each === verdict) >= VERDICTS.indexOf('GUARDED');

needs('bpf').describe('CheckObject', () => {
  let daemon: DaemonProcess;
  let client: RawClient;
  let kernel: Spec;

  beforeAll(async () => {
    daemon = await DaemonProcess.start({ env: { BTFD_METRICS_LISTEN: '127.0.0.1:0' } });
    client = new RawClient(daemon.address);
    kernel = Spec.parse(vmlinux());
  });
  afterAll(async () => {
    client[Symbol.dispose]();
    await daemon[Symbol.asyncDispose]();
  });

  test('describes the kernel in its header', async () => {
    const object = testObject('needs');
    const { header } = await receiveReport(client.stream('checkObject', { object }));
    const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
    expect(Buffer.from(header.objectDigest).toString('hex')).toBe(sha256(object));
    expect(header).toMatchObject({ loader: BpfLoader.LIBBPF, kernelRelease: release() });
    expect(header.kernel).toMatchObject({ name: 'vmlinux', isKernel: true });
    expect(Buffer.from(header.kernel?.digest ?? []).toString('hex')).toBe(sha256(vmlinux()));
    const [major = 0, minor = 0] = release().split('.').map(Number);
    expect(header.kernelVersion >>> 8).toBe((major << 8) | minor);
  });

  needs('debian-objects').test('reports the same as the library about objects of Debian', async () => {
    const programs = readdirSync(CORPUS)
      .toSorted()
      .filter((_, index) => index % 7 === 0);
    expect(programs.length).toBeGreaterThan(5);
    for (const program of programs) {
      for (const { bytes: object } of findBpfObjects(new Uint8Array(readFileSync(join(CORPUS, program))))) {
        for (const [loader, number] of LOADERS) {
          for (const all of [true, false]) {
            const { report, header } = await receiveReport(
              client.stream('checkObject', { object, loader: number, all }),
            );
            const options = { loader, kernelVersion: header.kernelVersion };
            const local = checkObject(parseBpfObject(object), { kernel }, options);
            expect([program, report]).toEqual([program, plainReport(local, all ? everything : fromGuarded)]);
          }
        }
      }
    }
  });

  test('takes a kernel by handle, whose release is unknown', async () => {
    const { result } = await client.call('loadHandle', { source: { case: 'rawBtf', value: emptyKernel() } });
    if (result.case !== 'handle') throw new Error('no handle');
    const { token } = result.value;
    const { header, report } = await receiveReport(
      client.stream('checkObject', {
        object: testObject('needs'),
        kernel: { source: { case: 'handle', value: token } },
      }),
    );
    expect(header).toMatchObject({ kernelRelease: '', machine: '', kernelVersion: 0 });
    const local = checkObject(parseBpfObject(testObject('needs')), { kernel: Spec.parse(emptyKernel()) });
    expect(report).toEqual(plainReport(local, fromGuarded));
  });

  /** Expects that nothing of any object is left in the daemon. */
  const holdsNothing = async (): Promise<void> =>
    until('the daemon holds no objects', async () => {
      const response = await fetch(`${daemon.metricsUrl}/metrics`);
      return (await response.text()).includes('\nbtfd_object_bytes 0\n');
    });

  test.each([
    ['OBJECT_UNREADABLE', 'a file that is no object', new TextEncoder().encode('no object')],
    ['OBJECT_UNREADABLE', 'the beginning of an object', testObject('needs').subarray(0, 5_000)],
  ])('refuses with %s %s', async (reason, _, object) => {
    const error = await failureOf(receiveReport(client.stream('checkObject', { object })));
    expect([error.code, errorInfoOf(error).reason]).toEqual([status.INVALID_ARGUMENT, reason]);
  });

  test('refuses an object that is larger than GetServerInfo says', async () => {
    const { limits } = await client.call('getServerInfo', {});
    const object = new Uint8Array((limits?.maxObjectBytes ?? 0) + 1);
    const error = await failureOf(receiveReport(client.stream('checkObject', { object })));
    expect([error.code, errorInfoOf(error).reason]).toEqual([status.RESOURCE_EXHAUSTED, 'MESSAGE_TOO_LARGE']);
    await holdsNothing();
  });

  test('sends a report of tens of thousands of findings in messages of at most 256 KiB', async () => {
    const object = objectOfFindings(30_000, 'gone'.repeat(100));
    let largest = 0;
    let findings = 0;
    const names = new Set<string>();
    for await (const message of client.stream('checkObject', { object })) {
      largest = Math.max(largest, toBinary(CheckObjectResponseSchema, message).length);
      if (message.part.case !== 'program') continue;
      names.add(message.part.value.name);
      findings += message.part.value.relocations.length;
    }
    expect([findings, [...names]]).toEqual([30_000, ['program']]);
    expect(largest).toBeGreaterThan(200 * 1024);
    expect(largest).toBeLessThanOrEqual(256 * 1024);
  });

  test('checks many objects that one client sends at once', async () => {
    const object = testObject('needs');
    const calls = Array.from({ length: 40 }, async () =>
      receiveReport(client.stream('checkObject', { object })),
    );
    const [first, ...others] = await Promise.all(calls);
    for (const { report } of others) expect(report).toEqual(first?.report);
  });

  test('returns a report or a typed error for each damaged object', async () => {
    const random = seeded(13);
    const original = testObject('needs');
    const codes = new Set<number>();
    for (let i = 0; i < 60; i++) {
      const object = original.slice();
      for (let changes = 1 + random(8); changes > 0; changes--) object[random(object.length)] = random(256);
      const call = receiveReport(client.stream('checkObject', { object }));
      codes.add(
        await call.then(
          () => status.OK,
          (error: unknown) => codeOf(error),
        ),
      );
    }
    expect([...codes].filter((code) => ![status.OK, status.INVALID_ARGUMENT].includes(code))).toEqual([]);
    expect(codes.size).toBe(2);
  });

  test('ends with its call, whether that is cancelled or not read', async () => {
    const object = objectOfFindings(30_000, 'gone'.repeat(100));
    const before = daemon.residentBytes();
    const streams = Array.from({ length: 3 }, () => client.stream('checkObject', { object }));
    await Promise.all(streams.map(async (stream) => once(stream, 'readable')));
    // The report has 40 MB, of which the daemon made what fits into buffers.
    expect(daemon.residentBytes() - before).toBeLessThan(500 * MIB);
    for (const stream of streams) {
      stream.on('error', () => {});
      stream.cancel();
    }
    await holdsNothing();
    await receiveReport(client.stream('checkObject', { object: testObject('needs') }));
  });
});
