import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { create } from '@bufbuild/protobuf';
import { BtfService, type LoadHandleResponse, LoadHandleResponseSchema } from '@btfd/api';
import { toServiceDefinition } from '@btfd/api/grpc-js';
import { BtfFormatError, Builder, kernelFeaturesOf, Spec } from '@btfd/btf';
import { type sendUnaryData, Server, ServerCredentials, status } from '@grpc/grpc-js';
import { BtfError } from './error/btf-error.js';
import { BtfClient } from './client.js';
import { FakeDaemon } from './fake-daemon/index.js';
import { cancelled, closes, deadlineOf } from './testing/daemon-calls.js';
import { rejection, until } from './testing/promises.js';
import { addUserObjects, tinyBtf } from './testing/tiny-btf.js';

const BYTES = tinyBtf('u32');
/** An integer of 4 bytes with 33 bits. */
const INVALID = tinyBtf('u32').with(36, 33);

/** An object file of the tests of `@btfd/btf`. */
function objectFile(name: string): Uint8Array {
  return readFileSync(new URL(`../../btf/src/object/testdata/${name}`, import.meta.url));
}

const LOG = '[1] nr_bits exceeds type_size\n';

let daemon: FakeDaemon;
let client: BtfClient;

beforeEach(async () => {
  daemon = await FakeDaemon.start({
    objects: [
      { id: 1, name: 'vmlinux', btf: BYTES },
      { id: 2, name: 'dummy', btf: BYTES },
    ],
  });
  client = new BtfClient(daemon.address);
});

afterEach(async () => {
  await client.close();
  await daemon[Symbol.asyncDispose]();
});

describe('loadHandle', () => {
  test('returns a handle on the loaded object', async () => {
    const handle = await client.loadHandle(BYTES, { ttl: 90_000, logSize: 4096 });
    expect(handle.info).toEqual({
      id: 3,
      name: '',
      origin: 'user',
      isKernel: false,
      size: BYTES.length,
      removed: false,
      isVmlinux: false,
      isModule: false,
      digest: null,
      users: null,
    });
    expect(handle.grantedTtl).toBe(90_000);
    expect(daemon.callsOf('loadHandle')[0]?.request).toMatchObject({
      ttl: { seconds: 90n },
      logSize: 4096,
      reportRejection: false,
    });
    expect(await handle.rawBtf()).toEqual(BYTES);
  });

  test('prepares the BTF of an object file as libbpf does, and lets the daemon adapt it', async () => {
    const handle = await client.loadHandle(objectFile('externs.bpf.o'));
    expect(await handle.rawBtf()).toEqual(new Uint8Array(objectFile('externs.btf')));
    await client.loadHandle(objectFile('externs.bpf.o'), { adaptToKernel: false });
    await client.loadHandle(objectFile('externs.btf'));
    const requests = daemon.callsOf('loadHandle').map(({ request }) => request);
    expect(requests).toMatchObject([
      { adaptToKernel: true },
      { adaptToKernel: false },
      { adaptToKernel: false },
    ]);
  });

  test('says why an object file cannot be prepared', async () => {
    expect(await rejection(client.loadHandle(objectFile('part.bpf.o')))).toMatchObject({
      code: status.INVALID_ARGUMENT,
      reason: 'INVALID_REQUEST',
      rawMessage: expect.stringMatching(
        /^btf: the object file cannot be prepared: function sum is extern: link/,
      ),
      cause: expect.any(BtfFormatError),
    });
    const cut = objectFile('externs.bpf.o').subarray(0, 60);
    expect(await rejection(client.loadHandle(cut))).toMatchObject({
      rawMessage: expect.stringContaining('ELF file of 60 bytes is shorter than its header of 64'),
    });
    expect(daemon.callsOf('loadHandle')).toEqual([]);
  });

  test('refuses a Builder of split BTF, which no kernel loads', async () => {
    const builder = new Builder({ base: Spec.parse(BYTES) });
    builder.add({ kind: 'TYPEDEF', name: 't', typeId: 1 });
    expect(await rejection(client.loadHandle(builder))).toMatchObject({
      reason: 'INVALID_REQUEST',
      rawMessage: 'btf: must be a Builder without a base: the kernel does not load split BTF',
    });
    expect(daemon.callsOf('loadHandle')).toEqual([]);
  });

  test('has a longer deadline than other calls', async () => {
    await client.loadHandle(BYTES);
    expect(deadlineOf(daemon, 'loadHandle')).toBeGreaterThan(Date.now() + 60_000);
  });

  test('rejects with the log of the kernel', async () => {
    expect(await rejection(client.loadHandle(INVALID))).toMatchObject({
      code: status.INVALID_ARGUMENT,
      reason: 'VERIFIER_REJECTED',
      verifierLog: { text: LOG, truncated: false, trueSize: LOG.length + 1 },
    });
  });
});

describe('tryLoadHandle', () => {
  test('returns a refusal as a result', async () => {
    expect(await client.tryLoadHandle(INVALID)).toEqual({
      handle: null,
      rejection: {
        errno: 22,
        errnoName: 'EINVAL',
        log: { text: LOG, truncated: false, trueSize: LOG.length + 1 },
      },
    });
    expect(daemon.handles).toEqual([]);
  });

  test('of more than the daemon accepts fails with both sizes', async () => {
    expect(await rejection(client.loadHandle(new Uint8Array(20 * 1024 * 1024)))).toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      reason: 'MESSAGE_TOO_LARGE',
      rawMessage: 'the request has 20971525 bytes; the daemon accepts at most 20971520',
      metadata: { size: '20971525', limit: '20971520' },
    });
  });

  test('receives the longest log', async () => {
    const text = 'x'.repeat(4 * 1024 * 1024);
    const value = { errno: 22, log: { text } };
    const server = new Server();
    server.addService(toServiceDefinition(BtfService), {
      loadHandle: (_: unknown, callback: sendUnaryData<LoadHandleResponse>) =>
        callback(null, create(LoadHandleResponseSchema, { result: { case: 'rejection', value } })),
    });
    const port = await promisify(server.bindAsync.bind(server))(
      '127.0.0.1:0',
      ServerCredentials.createInsecure(),
    );
    await using ofServer = new BtfClient(`127.0.0.1:${port}`);
    expect((await ofServer.tryLoadHandle(BYTES)).rejection?.log.text).toHaveLength(text.length);
    server.forceShutdown();
  });

  test('returns the handle otherwise', async () => {
    const { handle, rejection: refusal } = await client.tryLoadHandle(BYTES);
    expect(refusal).toBeNull();
    expect(handle?.info.id).toBe(3);
  });
});

describe('findHandle', () => {
  test('returns the first match, and holds nothing else', async () => {
    addUserObjects(daemon, 10);
    const handle = await client.findHandle(({ id }) => id >= 2);
    expect(handle.info.id).toBe(2);
    await until(() => daemon.handles.length === 1);
    expect((await handle.inspect()).info.name).toBe('dummy');
  });

  test('accepts an asynchronous predicate', async () => {
    const handle = await client.findHandle(async (info) => Promise.resolve(info.isModule), { ttl: 5000 });
    expect(handle.info.name).toBe('dummy');
  });

  test('rejects with NO_MATCH if there is no match', async () => {
    expect(await rejection(client.findHandle(() => false))).toMatchObject({
      code: status.NOT_FOUND,
      reason: 'NO_MATCH',
    });
    await until(() => daemon.handles.length === 0);
  });

  test('rejects with the error that its predicate throws', async () => {
    const error = new Error('in the predicate');
    const find = client.findHandle(() => {
      throw error;
    });
    expect(await rejection(find)).toBe(error);
    await until(() => daemon.handles.length === 0);
  });
});

test('a response that is too large for the client is not mistaken for a request that is too large', async () => {
  const channelOptions = { 'grpc.max_receive_message_length': 10 };
  await using small = new BtfClient(daemon.address, { channelOptions });
  expect(await rejection(small.serverInfo())).toMatchObject({
    code: status.RESOURCE_EXHAUSTED,
    reason: null,
    message: expect.stringContaining('larger than max'),
  });
});

test('serverInfo is plain data, in milliseconds', async () => {
  expect(await client.serverInfo()).toEqual({
    version: '0.0.0-fake',
    bootId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    daemonEpoch: daemon.epoch,
    kernelRelease: '6.18.0-fake',
    kernelVersion: '#1 SMP fake',
    nodeName: 'fake-node',
    machine: 'x86_64',
    mode: 'full',
    btfDir: '',
    operations: [
      { operation: 'load', available: true, reason: '' },
      { operation: 'open-by-id', available: true, reason: '' },
      { operation: 'list-ids', available: true, reason: '' },
      { operation: 'spec-by-name', available: true, reason: '' },
      { operation: 'hold-kernel', available: true, reason: '' },
    ],
    capabilities: { sysAdmin: true, bpf: true },
    caller: { principal: `uid:${process.getuid?.()}`, role: 'loader' },
    limits: {
      maxLoadMessageBytes: 0,
      maxMessageBytes: 0,
      maxBtfBytes: 16 * 1024 * 1024,
      minTtl: 1,
      maxTtl: 0,
      defaultTtl: 60_000,
      maxHeldPerStream: 64,
      holdStallTimeout: 0,
      maxLogBytes: 0,
      maxTokens: 1000,
      maxTypesBytes: 0,
      maxCBytes: 0,
      maxObjectBytes: 0,
    },
    // As Linux 6.18 has them.
    features: expect.arrayContaining([
      { feature: 'btf', supported: true },
      { feature: 'enum64', supported: true },
      { feature: 'layout', supported: false },
    ]),
    kernelFeatures: kernelFeaturesOf(6, 18),
    digests: null,
  });
});

test('connected says whether there is a connection', async () => {
  const { address } = daemon;
  await using own = new BtfClient(address);
  expect(own.connected).toBe(false);
  await own.serverInfo();
  expect(own.connected).toBe(true);
  await daemon.stop();
  await until(() => !own.connected);
  daemon = await FakeDaemon.start({ listen: address });
  await own.serverInfo();
  expect(own.connected).toBe(true);
  await own.close();
  expect(own.connected).toBe(false);
});

test('serverInfo identifies the build of the kernel on request', async () => {
  const sha256 = (...parts: (Uint8Array | string)[]): Buffer => {
    const hash = createHash('sha256');
    for (const part of parts) hash.update(part);
    return hash.digest();
  };
  const { digests } = await client.serverInfo({ details: ['digests'] });
  expect(digests).toEqual({
    kernel: sha256(BYTES).toString('hex'),
    modules: sha256('dummy\0', sha256(BYTES)).toString('hex'),
    moduleCount: 1,
  });
});

describe('a call', () => {
  test('sends its deadline to the daemon, and fails when it passes', async () => {
    const go = daemon.stall('getServerInfo');
    // On a busy machine, a call may fail before it is sent.
    let timeout = 50;
    do {
      timeout *= 2;
      expect(await rejection(client.serverInfo({ timeout }))).toMatchObject({
        code: status.DEADLINE_EXCEEDED,
      });
    } while (deadlineOf(daemon, 'getServerInfo') === undefined);
    expect(deadlineOf(daemon, 'getServerInfo')).toBeLessThan(Date.now() + timeout);
    go();
  });

  test('has a deadline by default', async () => {
    await client.getHandleById(1);
    const deadline = deadlineOf(daemon, 'getHandleById') ?? Infinity;
    expect(Math.abs(deadline - Date.now() - 10_000)).toBeLessThan(2_000);
  });

  test("aborted rejects with the signal's reason, and is cancelled", async () => {
    const go = daemon.stall('getHandleById');
    const controller = new AbortController();
    const call = client.getHandleById(1, { signal: controller.signal });
    await until(() => daemon.callsOf('getHandleById').length > 0);
    const reason = new Error('enough');
    controller.abort(reason);
    expect(await rejection(call)).toBe(reason);
    await until(() => cancelled(daemon).includes('getHandleById'));
    go();
  });

  test('with an aborted signal is not made', async () => {
    expect(await rejection(client.getHandleById(1, { signal: AbortSignal.abort() }))).toMatchObject({
      name: 'AbortError',
    });
    expect(daemon.callsOf('getHandleById').length > 0).toBe(false);
  });

  test('shares its listener on a signal with all others, because Node warns of more than ten', async () => {
    const { signal } = new AbortController();
    const listen = jest.spyOn(signal, 'addEventListener');
    await Promise.all([
      client.serverInfo({ signal }),
      client.listObjects({ signal }),
      client.spec('vmlinux', { signal }),
    ]);
    for await (const handle of client.iterateHandles({ signal })) await handle.take({ signal });
    expect(listen).toHaveBeenCalledTimes(1);
  });

  test('names the address where no daemon responds', async () => {
    await using lonely = new BtfClient('unix:/nonexistent/btfd.sock', { retries: 0 });
    const error = await rejection(lonely.serverInfo());
    expect(error).toMatchObject({ code: status.UNAVAILABLE, reason: 'UNREACHABLE' });
    expect(String(error)).toContain('unix:/nonexistent/btfd.sock');
  });
});

describe('close', () => {
  test('[C4] closes the handles that are open', async () => {
    await client.getHandleById(1);
    const closed = await client.getHandleById(2);
    await closed.close();
    await Promise.all([client.close(), client.close()]);
    expect(daemon.handles.length).toBe(0);
    expect(closes(daemon)).toEqual([[`${daemon.epoch}:2`], [`${daemon.epoch}:1`]]);
  });

  test('[C4] ends calls in progress', async () => {
    const go = daemon.stall('getServerInfo');
    const call = rejection(client.serverInfo());
    const iteration = client.iterateHandles();
    await iteration.next();
    await client.close();
    expect(await call).toMatchObject({ reason: 'CLIENT_CLOSED' });
    expect(await rejection(iteration.next().then(async () => iteration.next()))).toMatchObject({
      reason: 'CLIENT_CLOSED',
    });
    go();
  });

  test('allows to close handles afterwards, but no other call', async () => {
    const handle = await client.getHandleById(1);
    await client.close();
    expect(await rejection(client.serverInfo())).toMatchObject({ reason: 'CLIENT_CLOSED' });
    expect(await rejection(handle.clone())).toBeInstanceOf(BtfError);
    await handle.close();
  });

  test('succeeds if the daemon fails to close the handles', async () => {
    await client.getHandleById(1);
    daemon.failNext('closeHandles', { code: status.INTERNAL });
    await client.close();
    expect(closes(daemon)).toEqual([]);
  });
});
