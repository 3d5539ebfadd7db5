import { once } from 'node:events';
import { constants, type ClientHttp2Stream, type IncomingHttpHeaders } from 'node:http2';
import { connect } from 'node:net';
import { join } from 'node:path';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { anyUnpack } from '@bufbuild/protobuf/wkt';
import { describe, expect, test } from '@jest/globals';
import {
  BtfService,
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
import { startDaemon } from '../daemon.js';
import type { Limits } from '../config/limits.js';
import { MAX_REFUSED } from '../listen/connections.js';
import { intBtf, largeBtf } from '../testing/btf-bytes.js';
import { FakeKernel } from '../testing/fake-kernel.js';
import { GrpcClient, grpcErrorOf, withResolvers } from '../testing/grpc-harness.js';
import { grpcFrame, Http2Client } from '../testing/http2-client.js';
import { TempDir } from '../testing/temp-dir.js';

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
    close: async (token: string) =>
      client.unary('closeHandles', create(CloseHandlesRequestSchema, { tokens: [token] })).answer,
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

describe('At the limit', () => {
  test('of handles, a further handle is refused and its object closed, until another is closed', async () => {
    await using setup = await setUp({ maxHandlesPerPrincipal: 2 });
    const tokens = [await setup.open(), await setup.open()];
    const error = await grpcErrorOf(setup.open());
    expect(limitOf(error)).toEqual([status.RESOURCE_EXHAUSTED, 'QUOTA_EXCEEDED', 'handles', OWN]);
    expect(setup.kernel.openCount).toBe(2);
    await setup.close(tokens[0] ?? '');
    await setup.open();
    expect(setup.quotas.handles.inUse).toBe(2);
  });

  test('of all handles, everybody is refused', async () => {
    await using setup = await setUp({ maxHandles: 1 });
    await setup.open();
    expect(limitOf(await grpcErrorOf(setup.open()))).toEqual([
      status.RESOURCE_EXHAUSTED,
      'QUOTA_EXCEEDED',
      'handles',
      'daemon',
    ]);
  });

  test('of bytes, a load is refused before the kernel sees it; the kernel’s own objects do not count', async () => {
    await using setup = await setUp({ maxHeldBtfBytesPerPrincipal: intBtf().length });
    const loads = setup.kernel.loads.length;
    const { result } = await setup.client.unary('loadHandle', LOAD).answer;
    await setup.open();
    const error = await grpcErrorOf(setup.client.unary('loadHandle', LOAD).answer);
    expect(limitOf(error)).toEqual([status.RESOURCE_EXHAUSTED, 'QUOTA_EXCEEDED', 'btf_bytes', OWN]);
    expect(setup.kernel.loads.length).toBe(loads + 1);
    await setup.close(result.case === 'handle' ? result.value.token : '');
    await setup.client.unary('loadHandle', LOAD).answer;
  });

  test('of handles, a stream that would hold a further handle ends, and closes those that it held', async () => {
    await using setup = await setUp({ maxHandlesPerPrincipal: 2 });
    for (let count = 0; count < 3; count++) setup.kernel.addUsers(intBtf());
    const stream = setup.client.stream('iterateHandles', HOLD);
    let received = 0;
    stream.on('data', () => (received += 1));
    const [error] = (await once(stream, 'error')) as [GrpcError];
    expect([received, error.code]).toEqual([2, status.RESOURCE_EXHAUSTED]);
    expect([setup.quotas.handles.inUse, setup.kernel.openCount]).toEqual([0, 0]);
  });

  test('of streams, a further stream is refused with a retry time, and unary calls continue', async () => {
    await using setup = await setUp({ maxStreamsPerPrincipal: 1 });
    const first = setup.client.stream('iterateHandles', HOLD).on('error', () => {});
    await once(first, 'data');
    const second = setup.client.stream('iterateHandles', HOLD);
    const [error] = (await once(second, 'error')) as [GrpcError];
    expect(limitOf(error)).toEqual([status.RESOURCE_EXHAUSTED, 'QUOTA_EXCEEDED', 'streams', OWN]);
    await setup.client.unary('getServerInfo', INFO).answer;
    first.cancel();
    while (setup.quotas.streams.inUse > 0) await new Promise(setImmediate);
    const third = setup.client.stream('iterateHandles', create(IterateHandlesRequestSchema));
    await once(third.resume(), 'end');
  });

  test('of calls in flight, a further call is refused before it is read, until another ends', async () => {
    await using setup = await setUp({ maxCallsPerPrincipal: 1 });
    const { promise, resolve } = withResolvers();
    setup.kernel.loadGate = promise;
    const loading = setup.client.unary('loadHandle', LOAD).answer;
    await setup.client.connected();
    while (setup.quotas.calls.inUse === 0) await new Promise(setImmediate);
    const error = await grpcErrorOf(setup.client.unary('getServerInfo', INFO).answer);
    expect(limitOf(error)).toEqual([status.RESOURCE_EXHAUSTED, 'QUOTA_EXCEEDED', 'calls', OWN]);
    resolve();
    await loading;
    while (setup.quotas.calls.inUse > 0) await new Promise(setImmediate);
    await setup.client.unary('getServerInfo', INFO).answer;
  });

  test('of loads, a further load is refused before it is read, and other calls continue', async () => {
    await using setup = await setUp({ maxLoadsPerPrincipal: 2 });
    const { promise, resolve } = withResolvers();
    setup.kernel.loadGate = promise;
    const loads = [1, 2].map(() => setup.client.unary('loadHandle', LOAD).answer);
    while (setup.quotas.loads.inUse < 2) await new Promise(setImmediate);
    const error = await grpcErrorOf(setup.client.unary('loadHandle', LOAD).answer);
    expect(limitOf(error)).toEqual([status.RESOURCE_EXHAUSTED, 'QUOTA_EXCEEDED', 'loads', OWN]);
    // The refused call has given back its part of other quotas.
    expect(setup.quotas.calls.inUse).toBe(2);
    await setup.client.unary('getServerInfo', INFO).answer;
    resolve();
    await Promise.all(loads);
    while (setup.quotas.loads.inUse > 0) await new Promise(setImmediate);
    await setup.client.unary('loadHandle', LOAD).answer;
  });

  test('of BTF in use, another object is refused until a stream ends, but the same object is not', async () => {
    const large = largeBtf();
    await using setup = await setUp({ maxSpecBytesPerPrincipal: large.length });
    const id = setup.kernel.addUsers(large);
    const slow = new Http2Client(setup.path, { initialWindowSize: 0 });
    const message = toBinary(SpecRequestSchema, specOf(id));
    slow.call('/btf.v1.BtfService/Spec').end(grpcFrame(message));
    while (setup.quotas.specBytes.inUse === 0) await new Promise(setImmediate);
    const refused = setup.client.stream('spec', specOf(1)).resume();
    const [error] = (await once(refused, 'error')) as [GrpcError];
    expect(limitOf(error)).toEqual([status.RESOURCE_EXHAUSTED, 'QUOTA_EXCEEDED', 'spec_bytes', OWN]);
    await once(setup.client.stream('spec', specOf(id)).resume(), 'end');
    expect(setup.quotas.specBytes.inUse).toBe(large.length);
    slow[Symbol.dispose]();
    while (setup.quotas.specBytes.inUse > 0) await new Promise(setImmediate);
    await once(setup.client.stream('spec', specOf(1)).resume(), 'end');
    expect(setup.quotas.specBytes.inUse).toBe(0);
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

  test('of the size of metadata, a call is refused', async () => {
    await using setup = await setUp({ maxMetadataBytes: 1_000 });
    const metadata = new Metadata();
    metadata.set('x-large', 'a'.repeat(1_000));
    const error = await grpcErrorOf(setup.client.unary('getServerInfo', INFO, {}, metadata).answer);
    expect(limitOf(error)).toEqual([status.RESOURCE_EXHAUSTED, 'MESSAGE_TOO_LARGE', undefined, undefined]);
    await setup.client.unary('getServerInfo', INFO).answer;
  });

  test.each([
    ['of a principal', { maxConnectionsPerPrincipal: 2 }, OWN],
    ['of all', { maxConnections: 2 }, 'daemon'],
  ])(
    'of connections %s, a further connection gets an error and is closed, until another ends',
    async (_, limits, subject) => {
      await using setup = await setUp({ ...limits, unauthenticatedMs: 200 });
      await setup.client.unary('getServerInfo', INFO).answer;
      const second = connect(setup.path);
      await once(second, 'connect');
      while (setup.quotas.connections.inUse < 2) await new Promise(setImmediate);
      expect(limitOf(await errorOnConnecting(setup.path))).toEqual([
        status.RESOURCE_EXHAUSTED,
        'QUOTA_EXCEEDED',
        'connections',
        subject,
      ]);
      const fourth = connect(setup.path).on('error', () => {});
      await once(fourth.resume(), 'close');
      expect(setup.quotas.connections.inUse).toBe(2);
      second.destroy();
      while (setup.quotas.connections.inUse > 1) await new Promise(setImmediate);
      using fifth = new GrpcClient(`unix:${setup.path}`);
      await fifth.unary('getServerInfo', INFO).answer;
    },
  );

  test('of connections, a few further ones get an error, and all others are closed at once', async () => {
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

  test('of time, a connection that does not complete its handshake is closed', async () => {
    await using setup = await setUp({ handshakeMs: 500 });
    const socket = connect(setup.path).on('error', () => {});
    socket.write('PRI * HTTP/2.0\r\n\r\nSM');
    await once(socket.resume(), 'close');
    await setup.client.unary('getServerInfo', INFO).answer;
  });

  test.each([
    ['of nothing', BtfService.method.loadHandle, Buffer.alloc(0)],
    ['of a part', BtfService.method.loadHandle, grpcFrame(intBtf()).subarray(0, 20)],
    ['without its end', BtfService.method.spec, grpcFrame(new Uint8Array())],
  ])('of time, a request %s ends its call, and no longer counts', async (_, { name }, part) => {
    await using setup = await setUp({ requestMs: 100 });
    using raw = new Http2Client(setup.path);
    const call = raw.call(`/${BtfService.typeName}/${name}`);
    call.write(part);
    const trailers = await headersOf(call);
    expect([trailers['grpc-status'], trailers['grpc-message']]).toEqual([
      String(status.RESOURCE_EXHAUSTED),
      encodeURI('the request did not arrive within 100 ms'),
    ]);
    await once(call.resume(), 'close');
    expect([setup.quotas.calls.inUse, setup.quotas.loads.inUse, setup.quotas.streams.inUse]).toEqual([
      0, 0, 0,
    ]);
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
    await using setup = await setUp({});
    using raw = new Http2Client(setup.path);
    const call = raw.call(path, headers);
    expect((await headersOf(call))['grpc-status']).toBe(String(code));
    await once(call.resume(), 'close');
    expect(call.rstCode).toBe(constants.NGHTTP2_NO_ERROR);
  });

  test('of the size of requests, a larger one is refused with a status, and the connection stays open', async () => {
    await using setup = await setUp({ maxLoadsPerPrincipal: 1 });
    const { promise, resolve } = withResolvers();
    setup.kernel.loadGate = promise;
    const loading = setup.client.unary('loadHandle', LOAD).answer;
    while (setup.quotas.loads.inUse < 1) await new Promise(setImmediate);
    const value = new Uint8Array(8 * 1024 * 1024);
    const large = create(LoadHandleRequestSchema, { source: { case: 'rawBtf', value } });
    for (let count = 0; count < 10; count++) {
      const error = await grpcErrorOf(setup.client.unary('loadHandle', large).answer);
      expect(limitOf(error)).toEqual([status.RESOURCE_EXHAUSTED, 'QUOTA_EXCEEDED', 'loads', OWN]);
    }
    resolve();
    expect((await loading).result.case).toBe('handle');
    await setup.client.unary('loadHandle', LOAD).answer;
    expect(setup.quotas.connections.inUse).toBe(1);
  });

  test('of idle time, a connection ends, and the next call makes another', async () => {
    await using setup = await setUp({ maxConnectionIdleMs: 200 });
    await setup.client.unary('getServerInfo', INFO).answer;
    while (setup.quotas.connections.inUse > 0) await new Promise((resolve) => setTimeout(resolve, 20));
    await setup.client.unary('getServerInfo', INFO).answer;
  });

  test('of age, a connection ends, and the next call makes another', async () => {
    await using setup = await setUp({ maxConnectionAgeMs: 300 });
    await setup.client.unary('getServerInfo', INFO).answer;
    while (setup.quotas.connections.inUse > 0) await new Promise((resolve) => setTimeout(resolve, 20));
    await setup.client.unary('getServerInfo', INFO).answer;
  });
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
