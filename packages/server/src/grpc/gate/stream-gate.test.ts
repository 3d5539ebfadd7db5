import { once } from 'node:events';
import { constants } from 'node:http2';
import { create, toBinary } from '@bufbuild/protobuf';
import { GetHandleByIdRequestSchema, GetServerInfoRequestSchema } from '@btfd/api';
import { describe, expect, test } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { chunksBytes, closed, connected, streamsBytes } from 'test-tools/raw-frames';
import { GrpcClient, grpcErrorOf } from '../../testing/grpc-harness.js';
import { grpcFrame, Http2Client } from '../../testing/http2-client.js';
import { ServedDaemon } from '../../testing/served-daemon.js';

const INFO = create(GetServerInfoRequestSchema);
const INFO_FRAME = grpcFrame(toBinary(GetServerInfoRequestSchema, INFO));
const GET_SERVER_INFO = '/btf.v1.BtfService/GetServerInfo';

/** Returns the number of calls that a daemon has made of streams. */
function callsOf(served: ServedDaemon): number {
  return served.lines.filter(({ msg }) => msg === 'call').length;
}

/** Returns the number of connections that a daemon has ended. */
async function endedBy(served: ServedDaemon): Promise<number> {
  return Number(/^btfd_connections_ended_total (\d+)$/m.exec(await served.metrics())?.[1]);
}

/** Makes a call that succeeds, and waits for its end. */
async function succeed(client: Http2Client): Promise<void> {
  const call = client.call(GET_SERVER_INFO).resume();
  call.end(INFO_FRAME);
  await once(call, 'close');
}

describe('A client that opens and resets streams', () => {
  test.each([
    ['with a role', true, GET_SERVER_INFO],
    ['without a role', false, GET_SERVER_INFO],
    ['of an unknown method', true, '/no.Such/Method'],
  ])('%s is disconnected after a hundred, of which a few became calls', async (_, defaults, path) => {
    await using served = await ServedDaemon.start(defaults);
    const socket = await connected(served.path);
    socket.write(streamsBytes({ path, count: 990, reset: true }));
    await closed(socket);
    // 16 for each read of the socket, which may have arrived in parts.
    expect(callsOf(served)).toBeLessThanOrEqual(100);
    expect([await endedBy(served), served.quotas.calls.inUse]).toEqual([1, 0]);
  });

  test('on many connections is disconnected sooner on each, and others are served', async () => {
    await using served = await ServedDaemon.start(true);
    using honest = new GrpcClient(`unix:${served.path}`);
    await honest.unary('getServerInfo', INFO).answer;
    const sockets = await Promise.all(Array.from({ length: 50 }, async () => connected(served.path)));
    const allClosed = Promise.all(sockets.map(closed));
    const bytes = streamsBytes({ path: GET_SERVER_INFO, count: 990, reset: true });
    for (const socket of sockets) socket.write(bytes);
    for (let count = 0; count < 20; count++) await honest.unary('getServerInfo', INFO).answer;
    await allClosed;
    expect(await endedBy(served)).toBe(50);
    // Without the gate, all 49,500 streams become calls.
    expect(callsOf(served)).toBeLessThan(1_000);
    await honest.unary('getServerInfo', INFO).answer;
  });

  test('sees the error code ENHANCE_YOUR_CALM, and leaves one line in the log', async () => {
    await using served = await ServedDaemon.start(true);
    using client = new Http2Client(served.path);
    await succeed(client);
    const goaway = once(client.session, 'goaway');
    while (!client.session.destroyed) {
      for (let count = 0; count < 20; count++) client.call(GET_SERVER_INFO).close(constants.NGHTTP2_CANCEL);
      await new Promise(setImmediate);
    }
    expect(await goaway).toContain(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    const line = 'ended a connection whose calls were mostly reset or refused';
    expect(served.lines.filter(({ msg }) => msg === line)).toMatchObject([
      { principal: `uid:${process.geteuid?.()}` },
    ]);
  });
});

describe('A client that opens many streams', () => {
  test('and does not reset them has at most 1,024 that wait, and the others are refused', async () => {
    await using served = await ServedDaemon.start(true, { limits: { maxStreamsPerConnection: 10_000 } });
    const socket = await connected(served.path);
    socket.write(streamsBytes({ path: GET_SERVER_INFO, count: 5_000, reset: false }));
    await closed(socket);
    expect(callsOf(served)).toBeLessThan(1_200);
    expect(served.quotas.calls.inUse).toBe(0);
  });

  test('of methods that it may not call is disconnected', async () => {
    await using served = await ServedDaemon.start(false);
    const socket = await connected(served.path);
    const started = performance.now();
    socket.write(streamsBytes({ path: GET_SERVER_INFO, count: 500, reset: false }));
    await closed(socket);
    // Its budget of refusals is restored by ten a second.
    const restored = (10 * (performance.now() - started)) / 1_000;
    expect(callsOf(served)).toBeLessThan(150 + restored);
  });

  test('that are calls has all of them answered', async () => {
    await using served = await ServedDaemon.start(true);
    using client = new GrpcClient(`unix:${served.path}`);
    const answers = Array.from({ length: 500 }, async () => client.unary('getServerInfo', INFO).answer);
    expect(await Promise.all(answers)).toHaveLength(500);
  });
});

describe('A client that closes its connection with its streams', () => {
  test('again and again does not start afresh: its connections are ended after a few streams', async () => {
    await using served = await ServedDaemon.start(true, { limits: { maxStreamsPerConnection: 10_000 } });
    const bytes = streamsBytes({ path: GET_SERVER_INFO, count: 300, reset: false });
    for (let count = 0; count < 2; count++) {
      const socket = await connected(served.path);
      socket.write(bytes);
      // A few become calls, and the others wait.
      while (served.quotas.calls.inUse === 0) await new Promise(setImmediate);
      socket.destroy();
      while (served.quotas.calls.inUse > 0) await new Promise(setImmediate);
    }
    expect(await endedBy(served)).toBe(0);
    const before = callsOf(served);
    const socket = await connected(served.path);
    socket.write(bytes);
    await closed(socket);
    expect(await endedBy(served)).toBe(1);
    expect(callsOf(served) - before).toBeLessThanOrEqual(32);
  });

  test('does not keep others of its user from calling, also many times at once', async () => {
    await using served = await ServedDaemon.start(true);
    using honest = new GrpcClient(`unix:${served.path}`);
    await honest.unary('getServerInfo', INFO).answer;
    const bytes = streamsBytes({ path: GET_SERVER_INFO, count: 900, reset: false });
    for (let count = 0; count < 3; count++) {
      const socket = await connected(served.path);
      socket.write(bytes);
      while (served.quotas.calls.inUse === 0 && !socket.closed) await new Promise(setImmediate);
      socket.destroy();
      while (served.quotas.calls.inUse > 0) await new Promise(setImmediate);
    }
    const answers = Array.from({ length: 200 }, async () => honest.unary('getServerInfo', INFO).answer);
    expect(await Promise.all(answers)).toHaveLength(200);
  });
});

describe('A client that is known and has no role', () => {
  test('may check and watch health at the same time, because a policy does not make it nobody', async () => {
    await using served = await ServedDaemon.start(false);
    using client = new Http2Client(served.path);
    await once(client.session, 'remoteSettings');
    const health = '/grpc.health.v1.Health';
    const watch = client.call(`${health}/Watch`).resume();
    watch.end(grpcFrame(new Uint8Array()));
    await once(watch, 'response');
    const check = client.call(`${health}/Check`).resume();
    const trailers = once(check, 'trailers');
    check.end(grpcFrame(new Uint8Array()));
    expect((await trailers)[0]).toMatchObject({ 'grpc-status': String(status.OK) });
    expect(watch.closed).toBe(false);
  });
});

describe('A client that sends its request byte by byte', () => {
  test('loses its call after a thousand bytes', async () => {
    await using served = await ServedDaemon.start(true);
    const socket = await connected(served.path);
    const request = grpcFrame(new Uint8Array(20_000));
    socket.write(chunksBytes({ path: '/btf.v1.BtfService/LoadHandle', request }));
    // The request is never complete, so only the end of the stream ends the call.
    while (callsOf(served) === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    expect([served.quotas.loads.inUse, socket.closed]).toEqual([0, false]);
    socket.destroy();
  });

  test('is served if the request is small', async () => {
    await using served = await ServedDaemon.start(true);
    using client = new Http2Client(served.path);
    const call = client.call(GET_SERVER_INFO);
    const received: unknown[] = [];
    call.on('trailers', (trailers) => received.push(trailers['grpc-status']));
    for (const byte of INFO_FRAME) {
      call.write(Buffer.from([byte]));
      await new Promise(setImmediate);
    }
    call.end();
    await once(call.resume(), 'close');
    expect(received).toEqual([String(status.OK)]);
  });
});

describe('A client that nothing identifies', () => {
  test('is refused without a call of grpc-js, one stream at a time, and disconnected after a few', async () => {
    await using served = await ServedDaemon.start(true, {
      limits: { maxConnections: 1, unauthenticatedMs: 600_000 },
    });
    using first = new Http2Client(served.path);
    await succeed(first);
    // A connection beyond the limit gets only errors too.
    using second = new Http2Client(served.path);
    await once(second.session, 'remoteSettings');
    await once(second.session, 'remoteSettings');
    expect(second.session.remoteSettings.maxConcurrentStreams).toBe(1);
    const codes: unknown[] = [];
    while (!second.session.destroyed) {
      const call = second.call(GET_SERVER_INFO).resume();
      call.on('response', (headers) => codes.push(headers['grpc-status']));
      // The last one ends with its connection.
      call.on('error', () => {});
      call.end(INFO_FRAME);
      await new Promise((resolve) => call.once('close', resolve));
    }
    expect(new Set(codes)).toEqual(new Set([String(status.RESOURCE_EXHAUSTED)]));
    expect(await endedBy(served)).toBe(1);
  });
});

describe('An honest client', () => {
  test('that cancels half of its calls is not disconnected', async () => {
    await using served = await ServedDaemon.start(true);
    using client = new Http2Client(served.path);
    for (let count = 0; count < 500; count++) {
      client.call(GET_SERVER_INFO).close(constants.NGHTTP2_CANCEL);
      await succeed(client);
    }
    expect([client.session.destroyed, await endedBy(served)]).toEqual([false, 0]);
  });

  test('keeps its connection although another of the same user floods', async () => {
    await using served = await ServedDaemon.start(true);
    using honest = new Http2Client(served.path);
    await succeed(honest);
    const bytes = streamsBytes({ path: GET_SERVER_INFO, count: 990, reset: true });
    for (let count = 0; count < 8; count++) {
      const socket = await connected(served.path);
      socket.write(bytes);
      await closed(socket);
    }
    for (let count = 0; count < 4; count++) honest.call(GET_SERVER_INFO).close(constants.NGHTTP2_CANCEL);
    await succeed(honest);
    expect([honest.session.destroyed, await endedBy(served)]).toEqual([false, 8]);
  });

  test('that asks for what does not exist is not disconnected', async () => {
    await using served = await ServedDaemon.start(true);
    using client = new GrpcClient(`unix:${served.path}`);
    const request = create(GetHandleByIdRequestSchema, { id: 4_000_000 });
    for (let count = 0; count < 300; count++) {
      const error = await grpcErrorOf(client.unary('getHandleById', request).answer);
      expect(error.code).toBe(status.NOT_FOUND);
    }
    expect(await endedBy(served)).toBe(0);
  });
});
