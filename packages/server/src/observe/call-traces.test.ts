import { create } from '@bufbuild/protobuf';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { GetHandleByIdRequestSchema, LoadHandleRequestSchema, SpecRequestSchema } from '@btfd/api';
import { Metadata, status } from '@grpc/grpc-js';
import { context, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-node';
import { btfService } from '../rpc/service.js';
import { intBtf } from '../testing/btf-bytes.js';
import { FakeKernel } from '../testing/fake-kernel.js';
import { callsByRoot } from '../testing/calls.js';
import { GrpcClient, grpcErrorOf, GrpcServer } from '../testing/grpc-harness.js';
import { makeServices } from '../testing/services.js';
import { callTraces } from './call-traces.js';

const exporter = new InMemorySpanExporter();
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });

beforeAll(() => provider.register());
afterEach(() => exporter.reset());
afterAll(async () => {
  trace.disable();
  context.disable();
  propagation.disable();
  await provider.shutdown();
});

const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT_ID = '00f067aa0ba902b7';
const LOAD = create(LoadHandleRequestSchema, { source: { case: 'rawBtf', value: intBtf() } });

/** The daemon's service over a real socket. */
async function serve() {
  const kernel = new FakeKernel();
  const id = kernel.add('vmlinux', intBtf());
  const services = await makeServices(kernel);
  const { calls, interceptor } = callsByRoot(callTraces);
  const implementation = btfService(services, {
    checkRequest: () => {},
    slowReaderMs: 1000,
    calls,
    onInternalError: () => {},
  });
  const server = await GrpcServer.start(implementation, [interceptor]);
  const client = new GrpcClient(server.address);
  return {
    client,
    id,
    [Symbol.dispose]() {
      client[Symbol.dispose]();
      server[Symbol.dispose]();
    },
  };
}

/** The spans that have ended, with that of the call at the end. */
async function spans(count: number): Promise<ReadableSpan[]> {
  while (exporter.getFinishedSpans().length < count) await new Promise((resolve) => setTimeout(resolve, 2));
  return exporter.getFinishedSpans();
}

describe('The span of a call', () => {
  test('continues the client’s trace, and contains the load into the kernel', async () => {
    using served = await serve();
    const metadata = new Metadata();
    metadata.set('traceparent', `00-${TRACE_ID}-${PARENT_ID}-01`);
    metadata.set('x-request-id', 'r1');
    const { result } = await served.client.unary('loadHandle', LOAD, {}, metadata).answer;
    const loadedId = result.case === 'handle' ? result.value.info?.id : null;
    const [load, call] = await spans(2);
    expect(call).toMatchObject({
      name: 'btf.v1.BtfService/LoadHandle',
      kind: SpanKind.SERVER,
      parentSpanContext: { traceId: TRACE_ID, spanId: PARENT_ID, isRemote: true },
      attributes: {
        'rpc.system': 'grpc',
        'rpc.service': 'btf.v1.BtfService',
        'rpc.method': 'LoadHandle',
        'rpc.grpc.status_code': status.OK,
        'btfd.request_id': 'r1',
        'btfd.btf_id': loadedId,
      },
      status: { code: SpanStatusCode.UNSET },
    });
    expect(load).toMatchObject({ name: 'load into the kernel', kind: SpanKind.INTERNAL });
    expect(load?.parentSpanContext?.spanId).toBe(call?.spanContext().spanId);
    expect([load, call].map((span) => span?.spanContext().traceId)).toEqual([TRACE_ID, TRACE_ID]);
  });

  test('contains the reading of a spec, also for a stream', async () => {
    using served = await serve();
    const request = create(SpecRequestSchema, { source: { case: 'id', value: served.id } });
    for await (const _ of served.client.stream('spec', request)) void _;
    const [read, call] = await spans(2);
    expect([read?.name, call?.name]).toEqual(['read BTF', 'btf.v1.BtfService/Spec']);
    expect(read?.parentSpanContext?.spanId).toBe(call?.spanContext().spanId);
  });

  test('of a call without a trace is a root', async () => {
    using served = await serve();
    await served.client.unary('getHandleById', create(GetHandleByIdRequestSchema, { id: served.id })).answer;
    const [call] = await spans(1);
    expect(call?.parentSpanContext).toBeUndefined();
  });

  test.each(['', 'nonsense', `00-${TRACE_ID}-${PARENT_ID}`, `00-${'0'.repeat(32)}-${PARENT_ID}-01`])(
    'of a call with the traceparent %j is a root',
    async (traceparent) => {
      using served = await serve();
      const metadata = new Metadata();
      metadata.set('traceparent', traceparent);
      const request = create(GetHandleByIdRequestSchema, { id: served.id });
      await served.client.unary('getHandleById', request, {}, metadata).answer;
      const [call] = await spans(1);
      expect(call?.parentSpanContext).toBeUndefined();
    },
  );

  test('has code and reason of a failure, but is not an error if the client is at fault', async () => {
    using served = await serve();
    const request = create(GetHandleByIdRequestSchema, { id: 77 });
    await grpcErrorOf(served.client.unary('getHandleById', request).answer);
    const [call] = await spans(1);
    expect(call).toMatchObject({
      attributes: { 'rpc.grpc.status_code': status.NOT_FOUND, 'btfd.reason': 'BTF_ID_NOT_FOUND' },
      status: { code: SpanStatusCode.UNSET },
    });
  });
});
