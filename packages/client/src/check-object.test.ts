import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { BpfLoader, decodeRelocation, encodeRelocation } from '@btfd/api';
import {
  Builder,
  checkObject,
  compactObject,
  type ObjectReport as LibraryReport,
  parseBpfObject,
  type RelocationFinding,
  Spec,
} from '@btfd/btf';
import { status } from '@grpc/grpc-js';
import { BtfClient } from './client.js';
import { FakeDaemon } from './fake-daemon/index.js';
import type { ObjectReportPart } from './object/object-report.js';
import { cancelled } from './testing/daemon-calls.js';
import { rejection, until } from './testing/promises.js';
import { tinyBtf } from './testing/tiny-btf.js';

const TESTDATA = new URL('../../btf/src/', import.meta.url);
/** Objects of the library's tests: with relocations, and with every kind of need. */
const OBJECTS = ['check/testdata/needs', 'check/testdata/struct-ops', 'object/testdata/variables'];
const VERSION = (6 << 16) | (18 << 8);

const objectFile = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`${name}.bpf.o`, TESTDATA)));

const NEEDS = objectFile('check/testdata/needs');

/** Returns a kernel with one function that programs of NEEDS attach to. */
function vmlinux(): Uint8Array {
  const builder = new Builder();
  const int = builder.add({ kind: 'INT', name: 'int', size: 4, encoding: 1, bits: 32, bitOffset: 0 });
  const typeId = builder.add({ kind: 'FUNC_PROTO', returnTypeId: int, params: [] });
  builder.add({ kind: 'FUNC', name: 'traced', typeId, linkage: 0 });
  return builder.marshal();
}

/** Returns split BTF on it. */
function moduleBtf(): Uint8Array {
  const builder = new Builder({ base: Spec.parse(vmlinux()) });
  builder.add({ kind: 'STRUCT', name: 'of_module', size: 4, members: [] });
  return builder.marshal();
}

/** Returns a report of the library as a client gets it. */
function asReceived(report: LibraryReport): object {
  const received = (finding: RelocationFinding): object => decodeRelocation(encodeRelocation(finding));
  return {
    ...report,
    modules: report.modules.map((name) => expect.objectContaining({ name })),
    relocations: report.relocations.map(received),
    programs: report.programs.map((program) => ({
      ...program,
      relocations: program.relocations.map(received),
    })),
  };
}

let daemon: FakeDaemon;
let client: BtfClient;

beforeEach(async () => {
  daemon = await FakeDaemon.start({
    objects: [
      { id: 1, name: 'vmlinux', btf: vmlinux() },
      { id: 2, name: 'dummy', btf: moduleBtf() },
      { id: 3, btf: tinyBtf('other') },
    ],
  });
  client = new BtfClient(daemon.address, { retries: 2 });
});

afterEach(async () => {
  await client.close();
  await daemon[Symbol.asyncDispose]();
});

async function partsOf(object: Uint8Array): Promise<ObjectReportPart[]> {
  const parts: ObjectReportPart[] = [];
  for await (const part of client.checkObjectStream(object)) parts.push(part);
  return parts;
}

/** Returns the last request. */
const sent = () => daemon.callsOf('checkObject').at(-1)?.request;

describe('checkObject', () => {
  test.each(OBJECTS)('returns the report of the library about %s', async (name) => {
    const object = objectFile(name);
    for (const loader of ['libbpf', 'cilium'] as const) {
      const kernel = Spec.parse(vmlinux());
      const module = { name: 'dummy', spec: () => Spec.parse(moduleBtf(), { base: kernel }) };
      const expected = checkObject(
        parseBpfObject(object),
        { kernel, modules: [module] },
        { loader, kernelVersion: VERSION },
      );
      const report = await client.checkObject(object, { loader, all: true });
      expect(report).toMatchObject(asReceived(expected));
    }
  });

  test('says which object and kernel were compared', async () => {
    const report = await client.checkObject(NEEDS);
    expect(report).toMatchObject({
      byteOrder: 'little',
      loader: 'libbpf',
      loaderRelease: '1.8',
      kernelRelease: '6.18.0-fake',
      machine: 'x86_64',
      kernelVersion: VERSION,
      kernel: { id: 1, name: 'vmlinux', digest: expect.stringMatching(/^[0-9a-f]{64}$/) },
      objectDigest: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  test('leaves out findings that fit, and counts them', async () => {
    const worse = await client.checkObject(NEEDS);
    const all = await client.checkObject(NEEDS, { all: true });
    expect(worse.counts).toEqual(all.counts);
    const verdicts = worse.programs.flatMap(({ needs }) => needs.map(({ verdict }) => verdict));
    expect(verdicts).not.toContain('FITS');
    expect(verdicts.length).toBeGreaterThan(0);
    expect(worse.programs.map(({ name }) => name)).toEqual(all.programs.map(({ name }) => name));
  });

  test('sends the object without what no loader reads', async () => {
    await client.checkObject(NEEDS);
    expect(sent()?.object).toEqual(compactObject(NEEDS));
  });

  test('sends each option', async () => {
    const variables = { limit: Uint8Array.of(1, 0, 0, 0) };
    const object = objectFile('object/testdata/variables');
    await rejection(
      client.checkObject(object, {
        loader: 'cilium',
        modules: ['dummy'],
        programs: ['a', 'b'],
        variables,
        attachTargets: { a: 'traced' },
        kernelVersion: 5,
        all: true,
      }),
    );
    expect(sent()).toMatchObject({
      loader: BpfLoader.CILIUM_EBPF,
      modules: { scope: { case: 'only', value: { names: ['dummy'] } } },
      programs: ['a', 'b'],
      variables: [{ name: 'limit', value: variables.limit }],
      attachTargets: [{ program: 'a', target: 'traced' }],
      kernelVersion: 5,
      all: true,
    });
    await client.checkObject(object);
    expect(sent()).toMatchObject({ loader: BpfLoader.LIBBPF, programs: [], variables: [], all: false });
    expect(sent()).not.toHaveProperty('kernel');
    expect(sent()).not.toHaveProperty('modules');
    expect(sent()?.kernelVersion).toBe(0);
  });

  test('takes another kernel by id or by handle, and no modules', async () => {
    const byId = await client.checkObject(NEEDS, { kernel: 3, modules: [] });
    expect(byId).toMatchObject({ kernel: { id: 3 }, kernelRelease: '', machine: '', kernelVersion: null });
    await using handle = await client.getHandleById(3);
    expect((await client.checkObject(NEEDS, { kernel: handle })).kernel.id).toBe(3);
    expect(sent()?.kernel?.source.case).toBe('handle');
    await handle.close();
    expect(await rejection(client.checkObject(NEEDS, { kernel: handle }))).toMatchObject({
      reason: 'HANDLE_CLOSED',
    });
  });

  test.each([
    ['no ELF file', Uint8Array.of(1, 2, 3), 'OBJECT_UNREADABLE'],
    ['an object without BTF', withoutBtf(NEEDS), 'OBJECT_WITHOUT_BTF'],
  ])('rejects %s', async (_, object, reason) => {
    const error = await rejection(client.checkObject(object));
    expect(error).toMatchObject({ code: status.INVALID_ARGUMENT, reason });
  });

  test.each([
    ['a module that is not loaded', { modules: ['absent'] }, 'NAME_NOT_FOUND'],
    ['modules of another kernel', { kernel: 3, modules: ['dummy'] }, 'INVALID_REQUEST'],
    [
      'a variable that the object does not have',
      { variables: { absent: Uint8Array.of(1) } },
      'INVALID_REQUEST',
    ],
    ['a kernel that is gone', { kernel: 99 }, 'BTF_ID_NOT_FOUND'],
    ['a value that is not bytes', { variables: { limit: 5 as never } }, 'INVALID_REQUEST'],
  ])('rejects %s', async (_, options, reason) => {
    expect(await rejection(client.checkObject(NEEDS, options))).toMatchObject({ reason });
  });

  test('repeats a call that failed on the way', async () => {
    daemon.failNext('checkObject', { code: status.UNAVAILABLE });
    expect((await client.checkObject(NEEDS)).programs.length).toBeGreaterThan(0);
    expect(daemon.callsOf('checkObject')).toHaveLength(2);
  });

  test('ends with its signal or its deadline', async () => {
    const release = daemon.stall('checkObject');
    const controller = new AbortController();
    const aborted = client.checkObject(NEEDS, { signal: controller.signal });
    await until(() => daemon.callsOf('checkObject').length === 1);
    controller.abort(new Error('enough'));
    expect(await rejection(aborted)).toMatchObject({ message: 'enough' });
    const late = await rejection(client.checkObject(NEEDS, { timeout: 50 }));
    expect(late).toMatchObject({ code: status.DEADLINE_EXCEEDED });
    release();
  });
});

describe('checkObjectStream', () => {
  test('yields the header, the programs and the summary', async () => {
    const report = await client.checkObject(NEEDS);
    const parts = await partsOf(NEEDS);
    expect(parts.map(({ type }) => type)).toEqual([
      'header',
      ...report.programs.map(() => 'program'),
      'summary',
    ]);
    expect(parts.flatMap((part) => (part.type === 'program' ? [part.program] : []))).toEqual(report.programs);
  });

  test('ends the call when its reader leaves', async () => {
    for await (const { type } of client.checkObjectStream(NEEDS)) {
      expect(type).toBe('header');
      break;
    }
    await until(
      () => cancelled(daemon).length === 1 || daemon.callsOf('checkObject')[0]?.state !== 'running',
    );
    await client.serverInfo();
  });

  test('repeats a call until its first part', async () => {
    daemon.failNext('checkObject', { code: status.UNAVAILABLE });
    const parts = await partsOf(NEEDS);
    expect(parts.at(-1)?.type).toBe('summary');
  });
});

/** Returns an object whose section of BTF has another name. */
function withoutBtf(object: Uint8Array): Uint8Array {
  const copy = Buffer.from(object);
  for (let at = copy.indexOf('.BTF\0'); at >= 0; at = copy.indexOf('.BTF\0', at + 1)) copy.write('.XTF', at);
  return new Uint8Array(copy);
}
