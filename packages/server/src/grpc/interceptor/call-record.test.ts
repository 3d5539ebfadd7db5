import { once } from 'node:events';
import { constants } from 'node:http2';
import { create } from '@bufbuild/protobuf';
import { describe, expect, test } from '@jest/globals';
import { BtfService, ErrorReason, GetServerInfoRequestSchema, SpecRequestSchema } from '@btfd/api';
import { Metadata, status } from '@grpc/grpc-js';
import { ServiceError } from '../../error/service-error.js';
import { callsByRoot } from '../../testing/calls.js';
import { GrpcClient, grpcErrorOf, GrpcServer, withResolvers } from '../../testing/grpc-harness.js';
import { grpcFrame, Http2Client } from '../../testing/http2-client.js';
import { RecordingObserver } from '../../testing/recording-observer.js';
import type { Rpc } from '../rpc.js';
import { serveStream, serveUnary, type ServeOptions } from '../serve.js';

const INFO = create(GetServerInfoRequestSchema);
const SPEC = create(SpecRequestSchema);
const MAX_REQUEST = 1000;

interface Handlers {
  readonly getServerInfo?: Rpc<'getServerInfo'>;
  readonly spec?: Rpc<'spec'>;
}

async function serve(
  { getServerInfo = () => ({}), spec = async function* () {} }: Handlers,
  slowReaderMs = 5000,
) {
  const observer = new RecordingObserver();
  const { calls, interceptor } = callsByRoot(observer);
  const internal: (string | undefined)[] = [];
  const options: ServeOptions = {
    checkRequest: (_, { length }) => {
      if (length > MAX_REQUEST) throw new ServiceError(ErrorReason.MESSAGE_TOO_LARGE, `${length} bytes`);
    },
    slowReaderMs,
    calls,
    onInternalError: (_method, _error, requestId) => internal.push(requestId),
  };
  const { method } = BtfService;
  const server = await GrpcServer.start(
    {
      getServerInfo: serveUnary(method.getServerInfo, getServerInfo, options),
      spec: serveStream(method.spec, spec, options),
    },
    [interceptor],
  );
  const client = new GrpcClient(server.address);
  await client.connected();
  return {
    calls,
    client,
    path: server.path,
    observer,
    internal,
    [Symbol.dispose]() {
      client[Symbol.dispose]();
      server[Symbol.dispose]();
    },
  };
}

function fails(reason: ErrorReason): () => never {
  return () => {
    throw new ServiceError(reason, 'as the test wants');
  };
}

describe('The end of a call is observed', () => {
  test('once, with its code, the messages sent and their bytes', async () => {
    using served = await serve({ getServerInfo: () => ({ version: '1.2.3' }) });
    await served.client.unary('getServerInfo', INFO).answer;
    const [end, ...rest] = await served.observer.ends(1);
    // A field of 5 bytes, its tag and its length.
    expect(end).toMatchObject({ method: 'GetServerInfo', code: status.OK, reason: null, sentMessages: 1 });
    expect([end?.sentBytes, end?.receivedBytes, rest]).toEqual([7, 0, []]);
    expect(end?.durationMs).toBeGreaterThan(0);
  });

  test('with the code and the reason that its client gets', async () => {
    using served = await serve({ getServerInfo: fails(ErrorReason.NAME_NOT_FOUND) });
    await grpcErrorOf(served.client.unary('getServerInfo', INFO).answer);
    expect(await served.observer.ends(1)).toMatchObject([
      { code: status.NOT_FOUND, reason: ErrorReason.NAME_NOT_FOUND, sentMessages: 0 },
    ]);
  });

  test('if its request is refused before it reaches a handler', async () => {
    using served = await serve({});
    await grpcErrorOf(served.client.unaryBytes(Buffer.alloc(MAX_REQUEST + 1)));
    await grpcErrorOf(served.client.unaryBytes(Buffer.from([0x0a, 0x7f])));
    expect(await served.observer.ends(2)).toMatchObject([
      { reason: ErrorReason.MESSAGE_TOO_LARGE, receivedBytes: MAX_REQUEST + 1 },
      { reason: ErrorReason.INVALID_REQUEST, receivedBytes: 2 },
    ]);
  });

  test('if it is refused on its metadata', async () => {
    using served = await serve({});
    served.calls.endStreams(new ServiceError(ErrorReason.SHUTTING_DOWN, 'no'));
    const [error] = await once(served.client.stream('spec', SPEC).resume(), 'error');
    expect(error).toMatchObject({ code: status.UNAVAILABLE });
    expect(await served.observer.ends(1)).toMatchObject([{ reason: ErrorReason.SHUTTING_DOWN }]);
  });

  test('with an internal error, which is reported with the id of the request', async () => {
    using served = await serve({ getServerInfo: () => Promise.reject(new Error('within')) });
    await grpcErrorOf(served.client.unary('getServerInfo', INFO).answer);
    const [end] = await served.observer.ends(1);
    expect(end).toMatchObject({ code: status.INTERNAL, reason: ErrorReason.INTERNAL });
    expect(served.internal).toEqual([end?.requestId]);
  });

  test('when its handler ends, not when its client leaves', async () => {
    const left = withResolvers();
    const finish = withResolvers();
    using served = await serve({
      getServerInfo: async (_, call) => {
        call.signal.addEventListener('abort', () => left.resolve());
        await finish.promise;
        call.note({ btfId: 7 });
        return {};
      },
    });
    const { call, answer } = served.client.unary('getServerInfo', INFO);
    while (served.observer.begun.length === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    await new Promise((resolve) => setTimeout(resolve, 20));
    call.cancel();
    await grpcErrorOf(answer);
    await left.promise;
    expect(served.observer.ended).toEqual([]);
    finish.resolve();
    expect(await served.observer.ends(1)).toMatchObject([
      { code: status.CANCELLED, reason: null, facts: { btfId: 7 } },
    ]);
  });

  test('with CANCELLED when the client leaves a stream', async () => {
    using served = await serve({
      spec: async function* (_, { signal }) {
        yield { part: { case: 'raw', value: new Uint8Array(10) } };
        await new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason));
        });
      },
    });
    const stream = served.client.stream('spec', SPEC);
    stream.on('error', () => {});
    await once(stream, 'data');
    expect(served.observer.ended).toEqual([]);
    stream.cancel();
    expect(await served.observer.ends(1)).toMatchObject([{ code: status.CANCELLED, sentMessages: 1 }]);
  });

  test('with DEADLINE_EXCEEDED at its deadline', async () => {
    using served = await serve({
      getServerInfo: async (_, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason));
        }),
    });
    // Without a deadline of its own the client does not cancel first.
    const metadata = new Metadata();
    metadata.set('grpc-timeout', '50m');
    await grpcErrorOf(served.client.unary('getServerInfo', INFO, {}, metadata).answer);
    expect(await served.observer.ends(1)).toMatchObject([{ code: status.DEADLINE_EXCEEDED }]);
  });

  test('with the error of the handler, even if the client does not read its status', async () => {
    const reads = 20;
    const failed = withResolvers();
    using served = await serve(
      {
        spec: async function* () {
          try {
            for (;;) yield { part: { case: 'raw', value: new Uint8Array(1 << 18) } };
          } finally {
            failed.resolve();
          }
        },
      },
      reads,
    );
    using client = new Http2Client(served.path, { initialWindowSize: 0 });
    const stream = client.call('/btf.v1.BtfService/Spec');
    stream.end(grpcFrame(new Uint8Array()));
    await failed.promise;
    expect(served.observer.ended).toEqual([]);
    // As the daemon does a second after the failure.
    stream.close(constants.NGHTTP2_CANCEL);
    expect(await served.observer.ends(1)).toMatchObject([{ reason: ErrorReason.SLOW_READER }]);
  });
});

describe('A request’s id', () => {
  async function idsOf(
    given: string | null,
    handlers: Handlers = {},
  ): Promise<[seen: string, returned: unknown]> {
    using served = await serve(handlers);
    const metadata = new Metadata();
    if (given !== null) metadata.set('x-request-id', given);
    const { call, answer } = served.client.unary('getServerInfo', INFO, {}, metadata);
    const returned = new Promise<Metadata>((resolve) => call.once('metadata', resolve));
    const error = await answer.then(
      () => null,
      async () => grpcErrorOf(answer),
    );
    const [end] = await served.observer.ends(1);
    const from = error === null ? await returned : error.metadata;
    return [end?.requestId ?? '', from.get('x-request-id')[0]];
  }

  test('comes from the client, and is sent back', async () => {
    expect(await idsOf('build-7/step:3')).toEqual(['build-7/step:3', 'build-7/step:3']);
  });

  test('is also sent back with an error', async () => {
    const failing = { getServerInfo: fails(ErrorReason.NAME_NOT_FOUND) };
    expect(await idsOf('mine', failing)).toEqual(['mine', 'mine']);
  });

  test.each([null, 'with blank', 'x'.repeat(65), '{"json":1}', 'a"b'])(
    'is replaced by a new one if the client sent %j',
    async (given) => {
      const [seen, returned] = await idsOf(given);
      expect(seen).toMatch(/^[\da-f]{16}-\d+$/);
      expect(returned).toBe(seen);
    },
  );
});
