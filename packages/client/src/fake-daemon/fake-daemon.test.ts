import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Client, credentials, status } from '@grpc/grpc-js';
import { Encoding, type SpecResponse } from '@btfd/api';
import { Kind, Spec } from '@btfd/btf';
import { BtfClient } from '../client.js';
import { METHODS } from '../call/messages.js';
import type { RequestOf } from '../call/methods.js';
import { rejection } from '../testing/promises.js';
import { tinyBtf, tinySplitBtf } from '../testing/tiny-btf.js';
import { FakeDaemon } from './index.js';

const BYTES = tinyBtf('u32');

let daemon: FakeDaemon;
let client: BtfClient;

beforeEach(async () => {
  daemon = await FakeDaemon.start({ objects: [{ name: 'vmlinux', btf: BYTES }] });
  client = new BtfClient(daemon.address);
});

afterEach(async () => {
  await client.close();
  await daemon.stop();
});

test('its calls and open handles can be inspected', async () => {
  const handle = await client.getHandleById(1, { ttl: 5_000 });
  expect(daemon.calls).toMatchObject([{ method: 'getHandleById', request: { id: 1 }, state: 'answered' }]);
  expect(daemon.handles).toMatchObject([{ object: { id: 1, name: 'vmlinux' }, ttl: 5_000 }]);
  await handle.close();
  expect(daemon.handles).toEqual([]);
});

test('a loaded object lives as long as a handle on it', async () => {
  const handle = await client.loadHandle(tinyBtf('mine'));
  const clone = await handle.clone();
  await handle.close();
  expect(daemon.objects.map(({ id }) => id)).toEqual([1, 2]);
  await clone.close();
  expect(daemon.objects.map(({ id }) => id)).toEqual([1]);
});

test('a handle on a removed object stays valid, and its info says removed', async () => {
  const { id } = daemon.addObject({ name: 'dummy', btf: tinySplitBtf() });
  const handle = await client.getHandleById(id);
  daemon.removeObject(id);
  expect(await client.listObjects({ origins: ['module'] })).toEqual([]);
  expect((await handle.inspect()).info).toMatchObject({ id, removed: true });
  expect((await handle.spec()).base).not.toBeNull();
  expect(await rejection(client.getHandleById(id))).toMatchObject({ reason: 'BTF_ID_NOT_FOUND' });
});

test('ids are never reused', () => {
  daemon.removeObject(1);
  expect(daemon.addObject({ btf: BYTES }).id).toBe(2);
  expect(() => daemon.addObject({ id: 2, btf: BYTES })).toThrow('there is a BTF object 2');
  expect(() => daemon.addObject({ id: -1, btf: BYTES })).toThrow('an integer from 0');
});

test('a lease can be made to expire', async () => {
  const handle = await client.getHandleById(1, { ttl: 60_000 });
  daemon.expireHandles();
  expect(await rejection(handle.inspect())).toMatchObject({ reason: 'HANDLE_NOT_FOUND' });
});

test('a restart keeps only the address and the objects of the kernel', async () => {
  const { address, epoch } = daemon;
  await client.loadHandle(tinyBtf('mine'));
  await daemon.restart();
  expect([daemon.address, daemon.objects.length, daemon.handles.length]).toEqual([address, 1, 0]);
  expect(daemon.epoch).not.toBe(epoch);
});

test('a split BTF without vmlinux has no base', async () => {
  await using lonely = await FakeDaemon.start({ objects: [{ name: 'dummy', btf: tinySplitBtf() }] });
  await using reader = new BtfClient(lonely.address);
  expect(await rejection(reader.cHeader('dummy'))).toMatchObject({ reason: 'MISSING_BASE' });
  expect(await reader.rawBtf('dummy')).toEqual(tinySplitBtf());
});

test('an object that is not BTF is rejected', () => {
  const btf = BYTES.with(0, 0);
  expect(() => daemon.addObject({ btf })).toThrow('magic');
});

test('it can listen on a unix socket', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'btfd-fake-'));
  const listen = `unix:${join(dir, 'btfd.sock')}`;
  {
    await using local = await FakeDaemon.start({ listen });
    await using reader = new BtfClient(local.address);
    expect([local.address, (await reader.serverInfo()).daemonEpoch]).toEqual([listen, local.epoch]);
  }
  rmSync(dir, { recursive: true });
});

/** Returns the responses of Spec to a request that the client never makes. */
async function specParts(request: RequestOf<'spec'>): Promise<SpecResponse[]> {
  const raw = new Client(daemon.address, credentials.createInsecure());
  try {
    const { path, requestSerialize, responseDeserialize } = METHODS.spec;
    return await raw.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request).toArray();
  } finally {
    raw.close();
  }
}

test('it names the feature that it does not support', async () => {
  const types = specParts({ source: { case: 'name', value: 'vmlinux' }, encoding: Encoding.TYPES });
  expect(await rejection(types)).toMatchObject({
    code: status.UNIMPLEMENTED,
    details: 'a fake daemon does not support the encoding TYPES',
  });
});

test('split BTF is read on the base that a request names', async () => {
  daemon.addObject({ id: 2, name: 'dummy', btf: tinySplitBtf() });
  daemon.addObject({ id: 3, btf: tinyBtf('another') });
  const dummy = async (base: number | null, whole = false): Promise<SpecResponse[]> =>
    specParts({
      source: { case: 'id', value: 2 },
      encoding: Encoding.RAW,
      ...(whole ? {} : { selection: { kinds: [Kind.PTR] } }),
      ...(base === null ? {} : { base: { source: { case: 'id', value: base } } }),
    });
  const namesOf = (parts: readonly SpecResponse[]): string[] => {
    const [, chunk] = parts;
    if (chunk?.part.case !== 'raw') throw new Error('no BTF');
    return [...Spec.parse(chunk.part.value).types()].map(({ name }) => name);
  };
  expect(namesOf(await dummy(null))).toEqual(['u32', '']);
  expect(namesOf(await dummy(3))).toEqual(['another', '']);
  // Split BTF cannot serve as a base, and the whole RAW needs none.
  expect(await rejection(dummy(2))).toMatchObject({ code: status.FAILED_PRECONDITION });
  expect(await rejection(dummy(3, true))).toMatchObject({ code: status.INVALID_ARGUMENT });
});

test('stopping ends calls that are stalled', async () => {
  daemon.stall('getServerInfo');
  await using impatient = new BtfClient(daemon.address, { retries: 0 });
  const call = rejection(impatient.serverInfo());
  await daemon.stop();
  expect(await call).toMatchObject({ reason: 'UNREACHABLE' });
  await daemon.stop();
});

const OBJECT = { btf: BYTES };

test.each<[string, Readonly<Record<string, unknown>>]>([
  ['objects', { objects: OBJECT }],
  ['objects[0].btf', { objects: [{ name: 'vmlinux' }] }],
  ['objects[0].btf', { objects: [{ btf: 'x' }] }],
  ['objects[0].name', { objects: [{ ...OBJECT, name: 5 }] }],
  ['objects[0].id', { objects: [{ ...OBJECT, id: -1 }] }],
  ['objects[0].origin', { objects: [{ ...OBJECT, origin: 'kernel' }] }],
  ['objects[0].users', { objects: [{ ...OBJECT, users: 5 }] }],
  ['objects[0].nonsense', { objects: [{ ...OBJECT, nonsense: 5 }] }],
  ['listen', { listen: 5 }],
  ['credentials', { credentials: credentials.createInsecure() }],
  ['defaultTtl', { defaultTtl: '1' }],
  ['maxHeld', { maxHeld: -1 }],
  ['kernelRelease', { kernelRelease: 6 }],
  ['chunkBytes', { chunkBytes: 0 }],
  ['chunkDelay', { chunkDelay: -1 }],
  ['nonsense', { nonsense: 1 }],
])('it rejects a wrong %s', async (field, options) => {
  const start = Promise.resolve(Reflect.apply(Reflect.get(FakeDaemon, 'start'), FakeDaemon, [options]));
  expect(await rejection(start)).toMatchObject({
    reason: 'INVALID_REQUEST',
    fieldViolations: [expect.objectContaining({ field })],
  });
});

test.each(['callsOf', 'failNext', 'loseNextAnswer', 'stall', 'cutOff'] as const)(
  '%s rejects an unknown method, because such a test would test nothing',
  (call) => {
    const misspelt = (): unknown => Reflect.apply(daemon[call], daemon, ['GetHandleByID', { code: 5 }]);
    expect(misspelt).toThrow('method: must be one of loadHandle, getHandleById,');
  },
);
