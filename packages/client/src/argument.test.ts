import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { BtfClient } from './client.js';
import { FakeDaemon } from './fake-daemon/index.js';
import { deadlineOf } from './testing/daemon-calls.js';
import { rejection } from './testing/rejection.js';
import { tinyBtf } from './testing/tiny-btf.js';

const BYTES = tinyBtf('u32');

let daemon: FakeDaemon;
let client: BtfClient;

beforeAll(async () => {
  daemon = await FakeDaemon.start({ objects: [{ id: 1, name: 'vmlinux', btf: BYTES }] });
  client = new BtfClient(daemon.address);
});

afterAll(async () => {
  await client.close();
  await daemon[Symbol.asyncDispose]();
});

// JSON.parse answers what a caller without types can give for anything.
test.each<[string, () => Promise<unknown>]>([
  ['timeout', async () => client.serverInfo({ timeout: NaN })],
  ['timeout', async () => client.serverInfo({ timeout: -1 })],
  ['timeout', async () => client.serverInfo({ timeout: JSON.parse('"1000"') })],
  ['timeout', async () => new BtfClient(daemon.address, { timeout: NaN })],
  ['ttl', async () => client.getHandleById(1, { ttl: NaN })],
  ['ttl', async () => client.getHandleById(1, { ttl: Infinity })],
  ['ttl', async () => client.getHandleById(1, { ttl: -1 })],
  ['ttl', async () => client.loadHandle(BYTES, { ttl: 1e15 })],
  ['ttl', async () => client.findHandle(() => false, { ttl: NaN })],
  ['id', async () => client.getHandleById(-1)],
  ['id', async () => client.getHandleById(1.5)],
  ['id', async () => client.getHandleById(2 ** 32)],
  ['logSize', async () => client.loadHandle(BYTES, { logSize: NaN })],
  ['btf', async () => client.loadHandle(JSON.parse('"abc"'))],
  ['btf', async () => client.tryLoadHandle(JSON.parse('null'))],
  ['afterId', async () => client.listObjects({ afterId: -1 })],
  ['origins', async () => client.listObjects({ origins: JSON.parse('"module"') })],
  ['origins[1]', async () => client.listObjects({ origins: JSON.parse('["module", "toString"]') })],
  ['details[0]', async () => client.listObjects({ details: JSON.parse('["size"]') })],
  ['nameGlobs', async () => client.listObjects({ nameGlobs: JSON.parse('"nf_*"') })],
  ['nameGlobs[0]', async () => client.iterateHandles({ nameGlobs: JSON.parse('[1]') }).next()],
  ['names', async () => client.cHeader('vmlinux', { names: JSON.parse('"task_struct"') })],
  ['ids[0]', async () => client.cHeader('vmlinux', { ids: [-1] })],
  ['paths', async () => client.resolveMembers('vmlinux', JSON.parse('"task_struct.mm"'))],
])('%s is checked before anything is sent: %s', async (field, call) => {
  expect(await rejection(call())).toMatchObject({
    code: status.INVALID_ARGUMENT,
    reason: 'INVALID_REQUEST',
    message: expect.stringContaining(`${field}: must be `),
    fieldViolations: [expect.objectContaining({ field })],
  });
});

test.each([Infinity, 2 ** 31, Number.MAX_VALUE])('a timeout of %d ms is no deadline', async (timeout) => {
  expect((await client.serverInfo({ timeout })).version).toBe('0.0.0-fake');
  expect(deadlineOf(daemon, 'getServerInfo')).toBe(Infinity);
});

test('a TTL in fractions of a second is none too many', async () => {
  expect((await client.getHandleById(1, { ttl: 1500.5 })).info.id).toBe(1);
});
