import { once } from 'node:events';
import { constants, type ClientHttp2Stream, type IncomingHttpHeaders } from 'node:http2';
import { connect } from 'node:net';
import { join } from 'node:path';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { anyUnpack } from '@bufbuild/protobuf/wkt';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import {
  BtfService,
  CheckObjectRequestSchema,
  CloseHandlesRequestSchema,
  ErrorInfoSchema,
  GetHandleByIdRequestSchema,
  GetServerInfoRequestSchema,
  IterateHandlesRequestSchema,
  LoadHandleRequestSchema,
  QuotaFailureSchema,
  SpecRequestSchema,
  StatusSchema,
} from '@btfd/api';
import { Metadata, status, type ServiceError as GrpcError } from '@grpc/grpc-js';
import { pino } from 'pino';
import { startDaemon } from '../start-daemon.js';
import type { Limits } from '../config/limits.js';
import { MAX_REFUSED } from '../listen/connections.js';
import { intBtf, largeBtf } from '../testing/btf-bytes.js';
import { FakeKernel } from '../testing/fake-kernel.js';
import { GrpcClient, grpcErrorOf, withResolvers } from '../testing/grpc-harness.js';
import { grpcFrame, Http2Client } from '../testing/http2-client.js';
import { TempDir } from '../testing/temp-dir.js';
import type { Quota } from './quota.js';

const OBJECT_BYTES = 100_000;

const INFO = create(GetServerInfoRequestSchema);
const HOLD = create(IterateHandlesRequestSchema, { hold: true });
const OPEN = create(GetHandleByIdRequestSchema, { id: 1 });
const LOAD = create(LoadHandleRequestSchema, { source: { case: 'rawBtf', value: intBtf() } });

/** A daemon with small limits, and a client of it. */
async function setUp(limits: Partial<Limits>) {
  const dir = new TempDir();
  const kernel = new FakeKernel();
  kernel.add('vmlinux', intBtf());
  const path = join(dir.path, 'btfd.sock');
  const daemon = await startDaemon({
    addresses: [{ kind: 'unix', path }],
    btfDir: null,
    kernel,
    logger: pino({ level: 'silent' }),
    limits,
  });
  const client = new GrpcClient(`unix:${path}`);
  return {
    kernel,
    path,
    client,
    quotas: daemon.services.quotas,
    open: async () => (await client.unary('getHandleById', OPEN).answer).handle?.token ?? '',
    close: async (...tokens: readonly string[]) =>
      client.unary('closeHandles', create(CloseHandlesRequestSchema, { tokens: [...tokens] })).answer,
    async [Symbol.asyncDispose]() {
      client[Symbol.dispose]();
      await daemon.stop();
      dir[Symbol.dispose]();
    },
  };
}

const specOf = (id: number) => create(SpecRequestSchema, { source: { case: 'id', value: id } });

/** Returns the details of an error about a limit. */
function limitOf(error: GrpcError): unknown {
  const [bytes] = error.metadata.get('grpc-status-details-bin');
  if (!Buffer.isBuffer(bytes)) throw new Error(`no details: ${error.message}`);
  const { details } = fromBinary(StatusSchema, new Uint8Array(bytes));
  const info = details.map((any) => anyUnpack(any, ErrorInfoSchema)).find((each) => each !== undefined);
  const quota = details.map((any) => anyUnpack(any, QuotaFailureSchema)).find((each) => each !== undefined);
  return [error.code, info?.reason, info?.metadata['quota'], quota?.violations[0]?.subject];
}

const OWN = `principal:uid:${process.geteuid?.()}`;

type Setup = Awaited<ReturnType<typeof setUp>>;

/** Starts one daemon for the tests of a group, each of which leaves nothing open. Returns a function that returns it. */
function sharedDaemon(limits: () => Partial<Limits>): () => Setup {
  let setup: Setup | null = null;
  beforeAll(async () => {
    setup = await setUp(limits());
  });
  afterAll(async () => setup?.[Symbol.asyncDispose]());
  return () => {
    if (setup === null) throw new Error('the daemon did not start');
    return setup;
  };
}

describe('At the limit of a principal', () => {
  const large = largeBtf();
  const shared = sharedDaemon(() => ({
    maxHandlesPerPrincipal: 4,
    maxHeldBtfBytesPerPrincipal: 2 * intBtf().length,
    maxStreamsPerPrincipal: 2,
    maxCallsPerPrincipal: 3,
    maxLoadsPerPrincipal: 2,
    maxSpecBytesPerPrincipal: large.length,
    maxMetadataBytes: 1_000,
    maxObjectBytes: OBJECT_BYTES,
    maxObjectMessageBytes: OBJECT_BYTES + 1_048_576,
    maxCheckedBytesPerPrincipal: OBJECT_BYTES + 1_000,
  }));
  const load = async (): Promise<string> => {
    const { result } = await shared().client.unary('loadHandle', LOAD).answer;
    return result.case === 'handle' ? result.value.token : '';
  };

  afterEach(async () => {
    const { quotas, kernel } = shared();
    const inUse = () => Object.values(quotas).reduce((sum: number, quota: Quota) => sum + quota.inUse, 0);
    // All that stays is the connection of the client.
    while (inUse() > 1) await new Promise(setImmediate);
    expect([quotas.connections.inUse, kernel.openCount]).toEqual([1, 0]);
  });

  test('of handles, a further handle is refused and its object closed, until another is closed', async () => {
    const { open, close, kernel, quotas } = shared();
    const tokens = [await open(), await open(), await open(), await open()];
    const error = await grpcErrorOf(open());
    expect(limitOf(error)).toEqual([status.RESOURCE_EXHAUSTED, 'QUOTA_EXCEEDED', 'handles', OWN]);
    expect(kernel.openCount).toBe(4);
    await close(...tokens.splice(0, 1));
    tokens.push(await open());
    expect(quotas.handles.inUse).toBe(4);
    await close(...tokens);
  });

  test('of bytes, a load is refused before the kernel sees it; the kernel’s own objects do not count', async () => {
    const { open, close, kernel } = shared();
    const loads = kernel.loads.length;
    const tokens = [await load(), await load(), await open()];
    expect(limitOf(await grpcErrorOf(load()))).toEqual([
      status.RESOURCE_EXHAUSTED,
      'QUOTA_EXCEEDED',
      'btf_bytes',
      OWN,
    ]);
    expect(kernel.loads.length).toBe(loads + 2);
    await close(...tokens.splice(0, 1));
    tokens.push(await load());
    await close(...tokens);
  });

  test('of handles, a stream that would hold a further handle ends, and closes those that it held', async () => {
    const { client, kernel, quotas } = shared();
    // The kernel's own, whose size does not count. The machine's sysfs has no file of any other name.
    const ids = Array.from({ length: 4 }, () => kernel.add('vmlinux', intBtf()));
    const stream = client.stream('iterateHandles', HOLD);
    let received = 0;
    stream.on('data', () => (received += 1));
    const [error] = (await once(stream, 'error')) as [GrpcError];
    expect([received, error.code]).toEqual([4, status.RESOURCE_EXHAUSTED]);
    expect([quotas.handles.inUse, kernel.openCount]).toEqual([0, 0]);
    for (const id of ids) kernel.remove(id);
  });

  test('of streams, a further stream is refused with a retry time, and unary calls continue', async () => {
    const { client, quotas } = shared();
    const one = create(IterateHandlesRequestSchema, { hold: true, nameGlobs: ['vmlinux'] });
    const streams = [1, 2].map(() => client.stream('iterateHandles', one).on('error', () => {}));
    await Promise.all(streams.map(async (stream) => once(stream, 'data')));
    const third = client.stream('iterateHandles', one);
    const [error] = (await once(third, 'error')) as [GrpcError];
    expect(limitOf(error)).toEqual([status.RESOURCE_EXHAUSTED, 'QUOTA_EXCEEDED', 'streams', OWN]);
    await client.unary('getServerInfo', INFO).answer;
    for (const stream of streams) stream.cancel();
    while (quotas.streams.inUse > 0) await new Promise(setImmediate);
    const fourth = client.stream('iterateHandles', create(IterateHandlesRequestSchema));
    await once(fourth.resume(), 'end');
  });

  test('of calls in flight, a further call is refused before it is read, until another ends', async () => {
    const { client, path, quotas } = shared();
    using raw = new Http2Client(path);
    const { name } = BtfService.method.getServerInfo;
    const calls = [1, 2, 3].map(() => raw.call(`/${BtfService.typeName}/${name}`));
    while (quotas.calls.inUse < 3) await new Promise(setImmediate);
    const error = await grpcErrorOf(client.unary('getServerInfo', INFO).answer);
    expect(limitOf(error)).toEqual([status.RESOURCE_EXHAUSTED, 'QUOTA_EXCEEDED', 'calls', OWN]);
    calls[0]?.end(grpcFrame(toBinary(GetServerInfoRequestSchema, INFO)));
    while (quotas.calls.inUse > 2) await new Promise(setImmediate);
    await client.unary('getServerInfo', INFO).answer;
  });

  test('of loads, a further load is refused before it is read, and other calls continue', async () => {
    const { client, kernel, quotas, close } = shared();
    const { promise, resolve } = withResolvers();
    kernel.loadGate = promise;
    const loads = [load(), load()];
    while (quotas.loads.inUse < 2) await new Promise(setImmediate);
    const value = new Uint8Array(8 * 1024 * 1024);
    const tooLarge = create(LoadHandleRequestSchema, { source: { case: 'rawBtf', value } });
    // However large it is, it gets a status, and the connection stays open.
    for (const request of [LOAD, ...Array.from({ length: 10 }, () => tooLarge)]) {
      const error = await grpcErrorOf(client.unary('loadHandle', request).answer);
      expect(limitOf(error)).toEqual([status.RESOURCE_EXHAUSTED, 'QUOTA_EXCEEDED', 'loads', OWN]);
    }
    // The refused calls have given back their parts of other quotas.
    expect(quotas.calls.inUse).toBe(2);
    await client.unary('getServerInfo', INFO).answer;
    resolve();
    await close(...(await Promise.all(loads)));
    while (quotas.loads.inUse > 0) await new Promise(setImmediate);
    await close(await load());
    expect(quotas.connections.inUse).toBe(1);
  });

  test('of BTF in use, another object is refused until a stream ends, but the same object is not', async () => {
    const { client, kernel, path, quotas } = shared();
    const id = kernel.addUsers(large);
    const slow = new Http2Client(path, { initialWindowSize: 0 });
    const message = toBinary(SpecRequestSchema, specOf(id));
    slow.call('/btf.v1.BtfService/Spec').end(grpcFrame(message));
    while (quotas.specBytes.inUse === 0) await new Promise(setImmediate);
    const refused = client.stream('spec', specOf(1)).resume();
    const [error] = (await once(refused, 'error')) as [GrpcError];
    expect(limitOf(error)).toEqual([status.RESOURCE_EXHAUSTED, 'QUOTA_EXCEEDED', 'spec_bytes', OWN]);
    await once(client.stream('spec', specOf(id)).resume(), 'end');
    expect(quotas.specBytes.inUse).toBe(large.length);
    slow[Symbol.dispose]();
    while (quotas.specBytes.inUse > 0) await new Promise(setImmediate);
    await once(client.stream('spec', specOf(1)).resume(), 'end');
    expect(quotas.specBytes.inUse).toBe(0);
  });

  test('of bytes of objects, a call is refused before its object is read, until others end', async () => {
    const { client, path, quotas } = shared();
    const { objectBytes } = quotas;
    const check = (size: number) => create(CheckObjectRequestSchema, { object: new Uint8Array(size) });
    const fails = async (size: number): Promise<GrpcError> => {
      const stream = client.stream('checkObject', check(size)).resume();
      const [error] = (await once(stream, 'error')) as [GrpcError];
      return error;
    };
    using raw = new Http2Client(path, { initialWindowSize: 0 });
    // The beginning of a message says how large it is.
    const frame = grpcFrame(toBinary(CheckObjectRequestSchema, check(OBJECT_BYTES)));
    const call = raw.call('/btf.v1.BtfService/CheckObject');
    call.write(frame.subarray(0, 1_000));
    while (objectBytes.inUse === 0) await new Promise(setImmediate);
    expect(objectBytes.inUse).toBe(frame.length - 5);
    const full = [status.RESOURCE_EXHAUSTED, 'QUOTA_EXCEEDED', 'object_bytes', OWN];
    expect(limitOf(await fails(1_000))).toEqual(full);
    call.close(constants.NGHTTP2_CANCEL);
    while (objectBytes.inUse > 0) await new Promise(setImmediate);
    expect((await fails(1_000)).code).toBe(status.INVALID_ARGUMENT);
    expect(objectBytes.inUse).toBe(0);
  });

  test('of the size of metadata, a call is refused', async () => {
    const { client } = shared();
    const metadata = new Metadata();
    metadata.set('x-large', 'a'.repeat(1_000));
    const error = await grpcErrorOf(client.unary('getServerInfo', INFO, {}, metadata).answer);
    expect(limitOf(error)).toEqual([status.RESOURCE_EXHAUSTED, 'MESSAGE_TOO_LARGE', undefined, undefined]);
    await client.unary('getServerInfo', INFO).answer;
  });

  test.each([
    [
      'was refused',
      '/btf.v1.BtfService/LoadHandle',
      { 'x-large': 'a'.repeat(9_000) },
      status.RESOURCE_EXHAUSTED,
    ],
    ['is to an unknown service', '/btf.v1.Other/Method', {}, status.UNIMPLEMENTED],
    ['is past its deadline', '/btf.v1.BtfService/Spec', { 'grpc-timeout': '1m' }, status.DEADLINE_EXCEEDED],
  ])('a call that %s, and continues to send, loses its stream', async (_, path, headers, code) => {
    using raw = new Http2Client(shared().path);
    const call = raw.call(path, headers);
    expect((await headersOf(call))['grpc-status']).toBe(String(code));
    await once(call.resume(), 'close');
    expect(call.rstCode).toBe(constants.NGHTTP2_NO_ERROR);
  });
});

describe('At the limit of time', () => {
  const shared = sharedDaemon(() => ({ handshakeMs: 500, requestMs: 100, maxConnectionIdleMs: 200 }));

  test('of a handshake, its connection is closed', async () => {
    const { client, path } = shared();
    const socket = connect(path).on('error', () => {});
    socket.write('PRI * HTTP/2.0\r\n\r\nSM');
    await once(socket.resume(), 'close');
    await client.unary('getServerInfo', INFO).answer;
  });

  test.each([
    ['of nothing', BtfService.method.loadHandle, Buffer.alloc(0)],
    ['of a part', BtfService.method.loadHandle, grpcFrame(intBtf()).subarray(0, 20)],
    ['without its end', BtfService.method.spec, grpcFrame(new Uint8Array())],
  ])('of a request, one %s ends its call, and no longer counts', async (_, { name }, part) => {
    const { path, quotas } = shared();
    using raw = new Http2Client(path);
    const call = raw.call(`/${BtfService.typeName}/${name}`);
    call.write(part);
    const trailers = await headersOf(call);
    expect([trailers['grpc-status'], trailers['grpc-message']]).toEqual([
      String(status.RESOURCE_EXHAUSTED),
      encodeURI('the request did not arrive within 100 ms'),
    ]);
    await once(call.resume(), 'close');
    expect([quotas.calls.inUse, quotas.loads.inUse, quotas.streams.inUse]).toEqual([0, 0, 0]);
  });

  test('without a call, a connection ends, and the next call makes another', async () => {
    const { client, quotas } = shared();
    await client.unary('getServerInfo', INFO).answer;
    while (quotas.connections.inUse > 0) await new Promise((resolve) => setTimeout(resolve, 20));
    await client.unary('getServerInfo', INFO).answer;
  });
});

describe('At the limit of connections', () => {
  test('of a principal, a further one gets an error and is closed, until another ends', async () => {
    await using setup = await setUp({ maxConnectionsPerPrincipal: 2, unauthenticatedMs: 200 });
    await setup.client.unary('getServerInfo', INFO).answer;
    const second = connect(setup.path);
    await once(second, 'connect');
    while (setup.quotas.connections.inUse < 2) await new Promise(setImmediate);
    expect(limitOf(await errorOnConnecting(setup.path))).toEqual([
      status.RESOURCE_EXHAUSTED,
      'QUOTA_EXCEEDED',
      'connections',
      OWN,
    ]);
    const fourth = connect(setup.path).on('error', () => {});
    await once(fourth.resume(), 'close');
    expect(setup.quotas.connections.inUse).toBe(2);
    second.destroy();
    while (setup.quotas.connections.inUse > 1) await new Promise(setImmediate);
    using fifth = new GrpcClient(`unix:${setup.path}`);
    await fifth.unary('getServerInfo', INFO).answer;
  });

  test('of all, as at that of all handles, everybody is refused', async () => {
    await using setup = await setUp({ maxConnections: 1, maxHandles: 1 });
    await setup.open();
    const refused = [grpcErrorOf(setup.open()), errorOnConnecting(setup.path)];
    expect((await Promise.all(refused)).map(limitOf)).toEqual([
      [status.RESOURCE_EXHAUSTED, 'QUOTA_EXCEEDED', 'handles', 'daemon'],
      [status.RESOURCE_EXHAUSTED, 'QUOTA_EXCEEDED', 'connections', 'daemon'],
    ]);
  });

  test('a few further ones get an error, and all others are closed at once', async () => {
    await using setup = await setUp({ maxConnections: 1 });
    await setup.client.unary('getServerInfo', INFO).answer;
    const sockets = Array.from({ length: MAX_REFUSED + 10 }, () =>
      connect(setup.path)
        .on('error', () => {})
        .resume(),
    );
    const closed = (): number => sockets.filter((socket) => socket.closed).length;
    while (closed() < 10) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(closed()).toBe(10);
    await setup.client.unary('getServerInfo', INFO).answer;
    for (const socket of sockets) socket.destroy();
  });

  test('of their age, one ends, and the next call makes another', async () => {
    await using setup = await setUp({ maxConnectionAgeMs: 300 });
    await setup.client.unary('getServerInfo', INFO).answer;
    while (setup.quotas.connections.inUse > 0) await new Promise((resolve) => setTimeout(resolve, 20));
    await setup.client.unary('getServerInfo', INFO).answer;
  });
});

test.each([
  ['without a limit on the memory of a session, no', Infinity, 400, null],
  ['with one, a', 1, 20, status.RESOURCE_EXHAUSTED],
])('%s number of cancelled streams keeps calls off a connection', async (_, bound, count, code) => {
  await using setup = await setUp({ maxSessionMemoryMiB: bound });
  const id = setup.kernel.addUsers(largeBtf());
  for (let i = 0; i < count; i++) {
    const stream = setup.client.stream('spec', specOf(id));
    await once(stream, 'data').catch(() => {});
    stream.on('error', () => {}).cancel();
  }
  const { answer } = setup.client.unary('getServerInfo', INFO);
  if (code === null) await answer;
  else expect((await grpcErrorOf(answer)).code).toBe(code);
});

/** Returns the error of a call on a new connection. On a busy machine the connection may be closed before the call. */
async function errorOnConnecting(path: string): Promise<GrpcError> {
  for (;;) {
    using client = new GrpcClient(`unix:${path}`);
    const error = await grpcErrorOf(client.unary('getServerInfo', INFO).answer);
    if (error.code !== status.UNAVAILABLE) return error;
  }
}

/** Returns the response headers of a call, which have its status if it has no message. */
async function headersOf(call: ClientHttp2Stream): Promise<IncomingHttpHeaders> {
  return new Promise((resolve) => call.once('response', resolve));
}
