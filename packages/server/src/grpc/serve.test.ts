import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { create, toBinary } from '@bufbuild/protobuf';
import { describe, expect, test } from '@jest/globals';
import {
  BtfService,
  ErrorReason,
  GetServerInfoRequestSchema,
  GetServerInfoResponseSchema,
  LoadHandleRequestSchema,
  SpecRequestSchema,
  SpecResponseSchema,
  type LoadHandleResponseSchema,
  type SpecResponse,
} from '@btfd/api';
import { status, type ClientReadableStream, type Metadata } from '@grpc/grpc-js';
import { ServiceError } from '../error/service-error.js';
import { GrpcClient, grpcErrorOf, GrpcServer, withResolvers } from '../testing/grpc-harness.js';
import { callsByRoot } from '../testing/calls.js';
import { decodeRequest } from '../base/message.js';
import { Encoded, type Rpc, type WireHandler, type WorkerRpc } from './rpc.js';
import { serveStream, serveUnary, serveWire, type ServeOptions } from './serve.js';

const EMPTY = create(GetServerInfoRequestSchema);
const ENDING = new ServiceError(ErrorReason.SHUTTING_DOWN, 'ending');
const SPEC = create(SpecRequestSchema, { source: { case: 'name', value: 'vmlinux' } });

/** Refuses requests with more bytes. */
function atMost(limit: number): ServeOptions['checkRequest'] {
  return (_, { length }) => {
    if (length > limit) throw new ServiceError(ErrorReason.MESSAGE_TOO_LARGE, `${length} bytes`);
  };
}

/** A server with three methods, and a client. */
async function serve(
  { getServerInfo, spec }: { getServerInfo?: WorkerRpc<'getServerInfo'>; spec?: WorkerRpc<'spec'> },
  choices: Partial<ServeOptions> = {},
  loadHandle: WireHandler<typeof LoadHandleResponseSchema> = async () => ({}),
) {
  const internal: [method: string, error: unknown][] = [];
  const { calls, interceptor } = callsByRoot();
  const options: ServeOptions = {
    calls,
    checkRequest: atMost(1000),
    slowReaderMs: 5000,
    onInternalError: (method, error) => internal.push([method, error]),
    ...choices,
  };
  const { method } = BtfService;
  const server = await GrpcServer.start(
    {
      getServerInfo: serveUnary(method.getServerInfo, getServerInfo ?? (() => ({})), options),
      loadHandle: serveWire(method.loadHandle, loadHandle, options),
      spec: serveStream(method.spec, spec ?? async function* () {}, options),
    },
    [interceptor],
  );
  const client = new GrpcClient(server.address);
  // The deadlines of tests are for calls, not for connecting.
  await client.connected();
  return {
    calls,
    client,
    internal,
    [Symbol.dispose]() {
      client[Symbol.dispose]();
      server[Symbol.dispose]();
    },
  };
}

/** Returns the sizes of the chunks that come before the stream ends or fails. */
async function chunks(stream: ClientReadableStream<SpecResponse>, got: number[] = []): Promise<number[]> {
  stream.on('data', ({ part }: SpecResponse) => got.push(part.case === 'raw' ? part.value.length : -1));
  stream.resume();
  await once(stream, 'end');
  return got;
}

const raw = (bytes: number) => ({ part: { case: 'raw' as const, value: new Uint8Array(bytes) } });

function reasonIn({ metadata }: { readonly metadata: Pick<Metadata, 'get'> }): string | undefined {
  const [details] = metadata.get('grpc-status-details-bin');
  return details === undefined ? undefined : /[A-Z]+(?:_[A-Z]+)+/.exec(details.toString('latin1'))?.[0];
}

describe('A unary call', () => {
  test('returns a response', async () => {
    using served = await serve({ getServerInfo: () => ({ version: '1.2.3' }) });
    expect(await served.client.unary('getServerInfo', EMPTY).answer).toMatchObject({ version: '1.2.3' });
    expect(served.internal).toEqual([]);
  });

  test('may return an encoded response', async () => {
    const wire = toBinary(GetServerInfoResponseSchema, create(GetServerInfoResponseSchema, { version: '4' }));
    using served = await serve({ getServerInfo: () => new Encoded(wire) });
    expect(await served.client.unary('getServerInfo', EMPTY).answer).toMatchObject({ version: '4' });
  });

  test('may be decoded by its handler, after the check of its size', async () => {
    using served = await serve({}, {}, async (wire) => {
      const { source } = decodeRequest(LoadHandleRequestSchema, wire);
      const size = source.case === 'rawBtf' ? source.value.length : 0;
      return { result: { case: 'handle', value: { token: String(size) } } };
    });
    const load = async (size: number) => {
      const source = { case: 'rawBtf', value: new Uint8Array(size) } as const;
      return served.client.unary('loadHandle', create(LoadHandleRequestSchema, { source })).answer;
    };
    expect(await load(100)).toMatchObject({ result: { value: { token: '100' } } });
    expect((await grpcErrorOf(load(1000))).code).toBe(status.RESOURCE_EXHAUSTED);
  });

  test('with invalid bytes is INVALID_ARGUMENT, and does not reach the handler', async () => {
    let calls = 0;
    using served = await serve({
      getServerInfo: () => {
        calls += 1;
        return {};
      },
    });
    // A field that is longer than the message.
    const error = await grpcErrorOf(served.client.unaryBytes(Buffer.from([0x0a, 0x7f])));
    expect([error.code, calls]).toEqual([status.INVALID_ARGUMENT, 0]);
    expect(error.details).toContain('btf.v1.GetServerInfoRequest');
    expect(served.internal).toEqual([]);
  });

  test.each([
    [1000, status.INVALID_ARGUMENT],
    [1001, status.RESOURCE_EXHAUSTED],
  ])(
    'of %i bytes, with a limit of 1000, is checked for its size before it is decoded',
    async (size, code) => {
      using served = await serve({});
      // Decoding fails at the first byte.
      const error = await grpcErrorOf(served.client.unaryBytes(Buffer.alloc(size, 0xff)));
      expect(error.code).toBe(code);
      if (code === status.RESOURCE_EXHAUSTED) expect(reasonIn(error)).toBe('MESSAGE_TOO_LARGE');
    },
  );

  test('that fails returns code, reason and message', async () => {
    using served = await serve({
      getServerInfo: () => {
        throw new ServiceError(ErrorReason.NAME_NOT_FOUND, 'no such name');
      },
    });
    const error = await grpcErrorOf(served.client.unary('getServerInfo', EMPTY).answer);
    expect([error.code, error.details, reasonIn(error)]).toEqual([
      status.NOT_FOUND,
      'no such name',
      'NAME_NOT_FOUND',
    ]);
    expect(served.internal).toEqual([]);
  });

  test.each<[string, Rpc<'getServerInfo'>]>([
    ['an unexpected error', () => Promise.reject(new Error('the secret'))],
    // protobuf-es refuses it when it is encoded.
    ['a response that cannot be encoded', () => ({ limits: { maxTokens: -1 } })],
  ])(
    'with %s is INTERNAL without the text of the error, which is reported here',
    async (_, getServerInfo) => {
      using served = await serve({ getServerInfo });
      const error = await grpcErrorOf(served.client.unary('getServerInfo', EMPTY).answer);
      expect([error.code, error.details]).toEqual([status.INTERNAL, 'internal error: see the daemon’s log']);
      expect(error.metadata.get('grpc-status-details-bin').toString()).not.toMatch(/secret|uint32/);
      expect(served.internal).toEqual([
        ['GetServerInfo', expect.objectContaining({ message: expect.any(String) })],
      ]);
    },
  );

  test.each<[string, { deadline?: number }, status]>([
    ['at the client’s cancel', {}, status.CANCELLED],
    ['at the deadline', { deadline: 300 }, status.DEADLINE_EXCEEDED],
  ])('aborts its signal %s, and nothing is reported', async (_, { deadline }, code) => {
    const started = withResolvers();
    const aborted = withResolvers<unknown>();
    using served = await serve({
      getServerInfo: async (_request, { signal }) => {
        started.resolve();
        await once(signal, 'abort');
        aborted.resolve(signal.reason);
        signal.throwIfAborted();
        return {};
      },
    });
    const options = deadline === undefined ? {} : { deadline: Date.now() + deadline };
    const { call, answer } = served.client.unary('getServerInfo', EMPTY, options);
    await started.promise;
    if (deadline === undefined) call.cancel();
    expect((await grpcErrorOf(answer)).code).toBe(code);
    await aborted.promise;
    await setImmediate();
    expect(served.internal).toEqual([]);
  });

  test('may finish during a shutdown', async () => {
    using served = await serve({
      getServerInfo: (_, { signal }) => {
        served.calls.endStreams(ENDING);
        return { version: String(signal.aborted) };
      },
    });
    expect(await served.client.unary('getServerInfo', EMPTY).answer).toMatchObject({ version: 'false' });
  });
});

describe('A stream', () => {
  test('sends its messages in order, those that are encoded without changes, and ends', async () => {
    const shared = new Uint8Array(new SharedArrayBuffer(300_000)).map((_, index) => index % 251);
    const encoded = (bytes: Uint8Array) => Encoded.bytes(SpecResponseSchema.field.raw, bytes);
    const sizes = Array.from({ length: 200 }, (_, index) => index);
    using served = await serve({
      spec: async function* () {
        for (const size of sizes) {
          if (size === 100) yield encoded(shared.subarray(1, 200_001));
          yield raw(size);
          if (size > 100 && size % 7 === 0) await setImmediate();
        }
        yield encoded(shared.subarray(0, 0));
      },
    });
    const all: Uint8Array[] = [];
    for await (const { part } of served.client.stream('spec', SPEC))
      if (part.case === 'raw') all.push(part.value);
    expect(all.map(({ length }) => length)).toEqual([...sizes.toSpliced(100, 0, 200_000), 0]);
    expect(Buffer.compare(all[100] ?? new Uint8Array(), shared.subarray(1, 200_001))).toBe(0);
  });

  test('with invalid bytes, or too many, is refused like a unary call', async () => {
    using served = await serve({}, { checkRequest: atMost(5) });
    const error = await grpcErrorOf(chunks(served.client.stream('spec', SPEC)));
    expect([error.code, reasonIn(error)]).toEqual([status.RESOURCE_EXHAUSTED, 'MESSAGE_TOO_LARGE']);
  });

  test('that fails after some messages sends them, then the status', async () => {
    using served = await serve({
      spec: async function* () {
        yield raw(1);
        yield raw(2);
        throw new ServiceError(ErrorReason.HOLD_STALLED, 'stalled');
      },
    });
    const got: number[] = [];
    const error = await grpcErrorOf(chunks(served.client.stream('spec', SPEC), got));
    expect([error.code, error.details, reasonIn(error)]).toEqual([
      status.RESOURCE_EXHAUSTED,
      'stalled',
      'HOLD_STALLED',
    ]);
    expect(got).toEqual([1, 2]);
    expect(served.internal).toEqual([]);
  });

  test('with an unexpected error is INTERNAL without the text of the error, which is reported here', async () => {
    using served = await serve({
      spec: async function* () {
        yield raw(1);
        throw new Error('the secret');
      },
    });
    const error = await grpcErrorOf(chunks(served.client.stream('spec', SPEC)));
    expect([error.code, error.details]).toEqual([status.INTERNAL, 'internal error: see the daemon’s log']);
    expect(served.internal).toEqual([['Spec', expect.objectContaining({ message: 'the secret' })]]);
  });

  test.each<[string, { deadline?: number }, status]>([
    ['at the client’s cancel', {}, status.CANCELLED],
    ['at the deadline', { deadline: 300 }, status.DEADLINE_EXCEEDED],
  ])(
    'runs the finally of its handler %s, while it writes and while it waits',
    async (_, { deadline }, code) => {
      for (const waits of [false, true]) {
        const released = withResolvers();
        using served = await serve({
          spec: async function* (_request, { signal }) {
            try {
              yield raw(1);
              if (waits) {
                await once(signal, 'abort');
                signal.throwIfAborted();
              }
              for (;;) yield raw(1000);
            } finally {
              released.resolve();
            }
          },
        });
        const options = deadline === undefined ? {} : { deadline: Date.now() + deadline };
        const stream = served.client.stream('spec', SPEC, options);
        const end = grpcErrorOf(chunks(stream));
        await once(stream, 'data');
        if (deadline === undefined) stream.cancel();
        expect((await end).code).toBe(code);
        await released.promise;
        await setImmediate();
        expect(served.internal).toEqual([]);
      }
    },
  );

  test('makes only a few more messages than its client reads', async () => {
    let made = 0;
    using served = await serve({
      spec: async function* () {
        for (; made < 100; made++) yield raw(256 * 1024);
      },
    });
    const stream = served.client.stream('spec', SPEC);
    await readOneAndStop(stream);
    await stable(() => made);
    // The client's stream takes 16 before it stops reading, HTTP/2's window one; 100 would be 25 MB.
    expect(made).toBeLessThan(16 + 6);
    expect(await chunks(stream)).toHaveLength(99);
  });

  test('ends with SLOW_READER if its client reads nothing for too long, and runs the finally of its handler', async () => {
    const released = withResolvers();
    using served = await serve(
      {
        spec: async function* () {
          try {
            for (;;) yield raw(256 * 1024);
          } finally {
            released.resolve();
          }
        },
      },
      { slowReaderMs: 50 },
    );
    const stream = served.client.stream('spec', SPEC);
    await readOneAndStop(stream);
    await released.promise;
    // The messages before come first.
    const error = await grpcErrorOf(chunks(stream));
    expect([error.code, reasonIn(error)]).toEqual([status.RESOURCE_EXHAUSTED, 'SLOW_READER']);
    expect(served.internal).toEqual([]);
  });

  test('ends with UNAVAILABLE at shutdown, whatever its handler does', async () => {
    const released = withResolvers();
    using served = await serve({
      spec: async function* (_, { signal }) {
        try {
          yield raw(1);
          await once(signal, 'abort');
          signal.throwIfAborted();
        } finally {
          released.resolve();
        }
      },
    });
    const stream = served.client.stream('spec', SPEC);
    const end = grpcErrorOf(chunks(stream));
    await once(stream, 'data');
    served.calls.endStreams(ENDING);
    const error = await end;
    expect([error.code, error.details, reasonIn(error)]).toEqual([
      status.UNAVAILABLE,
      'ending',
      'SHUTTING_DOWN',
    ]);
    await released.promise;
  });

  test('that begins during a shutdown ends with UNAVAILABLE at once', async () => {
    using served = await serve({
      spec: async function* () {
        yield raw(1);
      },
    });
    served.calls.endStreams(ENDING);
    expect((await grpcErrorOf(chunks(served.client.stream('spec', SPEC)))).code).toBe(status.UNAVAILABLE);
  });
});

/** Reads one message, then nothing more: a client that is alive but slow. */
async function readOneAndStop(stream: ClientReadableStream<SpecResponse>): Promise<void> {
  await new Promise<void>((resolve) => {
    stream.once('data', () => {
      stream.pause();
      resolve();
    });
  });
}

/** Waits until a number no longer changes. */
async function stable(read: () => number): Promise<void> {
  for (let before = -1; before !== read();) {
    before = read();
    await new Promise((resolve) => {
      setTimeout(resolve, 100);
    });
  }
}
