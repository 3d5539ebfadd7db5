import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import {
  Encoding,
  SpecRequestSchema,
  type SpecHeader,
  type SpecRequest,
  type SpecResponse,
  type Type,
} from '@btfd/api';
import { status } from '@grpc/grpc-js';
import { btfLoad } from '@btfd/native';
import { btfDump } from './testing/bpftool.js';
import { bpftoolJson } from './testing/bpftool-json.js';
import { DaemonProcess } from './testing/daemon-process.js';
import { errorInfoOf, failureOf, RawClient } from './testing/raw-client.js';
import { intBtf } from './testing/sample-btf.js';
import { until } from './testing/until.js';

const SYSFS_VMLINUX = '/sys/kernel/btf/vmlinux';
const CHUNK_BYTES = 256 * 1024;

interface Received {
  readonly header: SpecHeader;
  readonly raw: Buffer;
  readonly types: Type[];
}

needs('bpf').describe('Spec', () => {
  let daemon: DaemonProcess;
  let client: RawClient;
  let vmlinux: Buffer;

  beforeAll(async () => {
    daemon = await DaemonProcess.start();
    client = new RawClient(daemon.address);
    vmlinux = readFileSync(SYSFS_VMLINUX);
  });
  afterAll(async () => {
    client[Symbol.dispose]();
    await daemon[Symbol.asyncDispose]();
  });

  async function receive(init: MessageInitShape<typeof SpecRequestSchema>): Promise<Received> {
    const request: SpecRequest = create(SpecRequestSchema, init);
    let header: SpecHeader | null = null;
    const chunks: Uint8Array[] = [];
    const types: Type[] = [];
    for await (const { part } of client.stream('spec', request) as AsyncIterable<SpecResponse>) {
      expect(part.case === 'header').toBe(header === null);
      if (part.case === 'header') header = part.value;
      if (part.case === 'types') types.push(...part.value.types);
      if (part.case !== 'raw') continue;
      expect(part.value.length).toBeLessThanOrEqual(CHUNK_BYTES);
      chunks.push(part.value);
    }
    if (header === null) throw new Error('no header');
    return { header, raw: Buffer.concat(chunks), types };
  }

  const VMLINUX = { source: { case: 'name', value: 'vmlinux' } } as const;
  const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

  test('RAW of vmlinux is the file in sysfs, and the digest is its SHA-256', async () => {
    const { header, raw } = await receive(VMLINUX);
    expect(raw.equals(vmlinux)).toBe(true);
    expect(header).toMatchObject({ rawSize: vmlinux.length, split: false, notModified: false });
    expect(Buffer.from(header.digest).toString('hex')).toBe(sha256(vmlinux));
    expect(header.info).toMatchObject({ name: 'vmlinux', isKernel: true, size: vmlinux.length });
  });

  test('is the same by name, by id and by handle', async () => {
    const { header } = await receive(VMLINUX);
    const id = header.info?.id ?? 0;
    expect((await receive({ source: { case: 'id', value: id } })).raw.equals(vmlinux)).toBe(true);
    const { handle } = await client.call('getHandleById', { id });
    const token = handle?.token ?? '';
    expect((await receive({ source: { case: 'handle', value: token } })).raw.equals(vmlinux)).toBe(true);
    await client.call('closeHandles', { tokens: [token] });
    expect(daemon.btfFds()).toBe(0);
  });

  test('sends only the header if the digest matches, and everything if it does not', async () => {
    const digest = createHash('sha256').update(vmlinux).digest();
    const same = await receive({ ...VMLINUX, ifNoneMatch: { digest } });
    expect([same.header.notModified, same.raw.length]).toEqual([true, 0]);
    const other = await receive({ ...VMLINUX, ifNoneMatch: { digest: Buffer.alloc(32) } });
    expect([other.header.notModified, other.raw.length]).toEqual([false, vmlinux.length]);
  });

  needs('bpftool').test('TYPES of vmlinux equals the output of bpftool for every type', async () => {
    const { header, types } = await receive({ ...VMLINUX, encoding: Encoding.TYPES });
    const expected = btfDump('file', SYSFS_VMLINUX);
    expect(expected.length).toBeGreaterThan(10_000);
    expect(header.typeCount).toBe(expected.length);
    const wrong = types.flatMap((type, index) => {
      const [ours, theirs] = [JSON.stringify(bpftoolJson(type)), JSON.stringify(expected[index])];
      return ours === theirs ? [] : [`${ours} is not ${theirs}`];
    });
    expect(wrong.slice(0, 5)).toEqual([]);
    expect(types.length).toBe(expected.length);
  });

  needs('bpftool').test(
    'TYPES of a selection equals those types of bpftool, and reports what was not found',
    async () => {
      const all = btfDump('file', SYSFS_VMLINUX) as { id: number; name: string; kind: string }[];
      const names = ['task_struct', 'list_head', 'no_such_type'];
      const selection = { names, nameGlobs: ['vfs_rea?', 'no_such*'], ids: [1, 999_999_999] };
      const { header, types } = await receive({ ...VMLINUX, encoding: Encoding.TYPES, selection });
      const expected = all.filter(
        ({ id, name }) => id === 1 || names.includes(name) || /^vfs_rea.$/.test(name),
      );
      expect(types.map(bpftoolJson)).toEqual(expected);
      expect(header.selection).toMatchObject({
        typeCount: expected.length,
        namesNotFound: ['no_such_type'],
        globsNotMatched: ['no_such*'],
        idsNotFound: [999_999_999],
      });
      const kinds = await receive({ ...VMLINUX, encoding: Encoding.TYPES, selection: { kinds: [16, 7] } });
      expect(kinds.types.map(bpftoolJson)).toEqual(
        all.filter(({ kind }) => kind === 'FLOAT' || kind === 'FWD'),
      );
    },
  );

  test.each<[string, MessageInitShape<typeof SpecRequestSchema>, status, string]>([
    ['no source', {}, status.INVALID_ARGUMENT, 'INVALID_REQUEST'],
    [
      'an unknown name',
      { source: { case: 'name', value: '../../etc/passwd' } },
      status.NOT_FOUND,
      'NAME_NOT_FOUND',
    ],
    ['an unknown id', { source: { case: 'id', value: 2_000_000_000 } }, status.NOT_FOUND, 'BTF_ID_NOT_FOUND'],
    [
      'an unknown encoding',
      { ...VMLINUX, encoding: Number('77') as Encoding },
      status.INVALID_ARGUMENT,
      'INVALID_REQUEST',
    ],
    [
      'a short digest',
      { ...VMLINUX, ifNoneMatch: { digest: Buffer.alloc(5) } },
      status.INVALID_ARGUMENT,
      'INVALID_REQUEST',
    ],
  ])('refuses %s', async (_, request, code, reason) => {
    const error = await failureOf(receive(request));
    expect([error.code, errorInfoOf(error).reason]).toEqual([code, reason]);
  });

  test('RAW of a user’s object is the bytes that were loaded', async () => {
    const bytes = intBtf(3, 'mine');
    using object = await btfLoad(bytes, 0);
    const { header, raw } = await receive({ source: { case: 'id', value: object.info().id } });
    expect(raw.equals(bytes)).toBe(true);
    expect(header).toMatchObject({ typeCount: 3, split: false });
  });

  test('a reader that stops costs bounded memory, and none after it disconnects', async () => {
    const before = { memory: daemon.residentBytes(), sockets: sockets(daemon) };
    const slow = new RawClient(daemon.address);
    const streams = Array.from({ length: 20 }, () =>
      slow.stream('spec', { ...VMLINUX, encoding: Encoding.TYPES }),
    );
    for (const stream of streams) stream.on('error', () => null).pause();
    // Meanwhile another client is served.
    for (let round = 0; round < 5; round++) expect((await receive(VMLINUX)).raw.length).toBe(vmlinux.length);
    // 20 complete specs of this size would be about 300 MB.
    expect(daemon.residentBytes() - before.memory).toBeLessThan(200 * 1024 * 1024);
    for (const stream of streams) stream.cancel();
    slow[Symbol.dispose]();
    await until('its connection is closed', () => sockets(daemon) <= before.sockets);
    expect(daemon.btfFds()).toBe(0);
  });
});

/** Returns the number of the daemon's sockets, without the other file descriptors of its threads. */
function sockets(daemon: DaemonProcess): number {
  return daemon.fds().filter((target) => target.startsWith('socket:')).length;
}
