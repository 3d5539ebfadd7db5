import type { TextMapGetter } from '@opentelemetry/api';
import { status, type Metadata } from '@grpc/grpc-js';
import type { CallEnd, CallInfo, CallObservation, CallObserver } from '../grpc/interceptor/call-observer.js';
import { codeName, reasonName } from '../error/error-table.js';
import { tracer, tracing } from '../base/span.js';

const NOT_TRACED: CallObservation = { end() {} };

/**
 * callTraces makes a span of each call, after OpenTelemetry's conventions for gRPC, in the trace that the client's
 * metadata names. Without an OpenTelemetry SDK in the process it records nothing.
 */
export const callTraces: CallObserver = {
  begin(call) {
    const api = tracing();
    if (api === null) return NOT_TRACED;
    const { context, isSpanContextValid, propagation, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } = api;
    const { service, method, requestId } = call;
    const parent = propagation.extract(ROOT_CONTEXT, call.metadata, METADATA);
    const span = tracer(api).startSpan(
      `${service}/${method}`,
      {
        kind: SpanKind.SERVER,
        attributes: {
          'rpc.system': 'grpc',
          'rpc.service': service,
          'rpc.method': method,
          'btfd.request_id': requestId,
        },
      },
      parent,
    );
    // Without an SDK, and without a parent.
    if (!isSpanContextValid(span.spanContext())) return NOT_TRACED;
    const within = trace.setSpan(parent, span);
    return {
      run: (work) => context.with(within, work),
      end(end) {
        span.setAttributes(endAttributes(call, end));
        if (SERVER_FAULTS.has(end.code)) {
          span.setStatus({ code: SpanStatusCode.ERROR, message: codeName(end.code) });
        }
        span.end();
      },
    };
  },
};

function endAttributes({ facts }: CallInfo, { code, reason }: CallEnd): Record<string, string | number> {
  return {
    'rpc.grpc.status_code': code,
    ...(reason === null ? {} : { 'btfd.reason': reasonName(reason) }),
    ...(facts.btfId === undefined ? {} : { 'btfd.btf_id': facts.btfId }),
  };
}

/** The codes that the conventions count as the server's failure. The others are the client's. */
const SERVER_FAULTS: ReadonlySet<status> = new Set([
  status.UNKNOWN,
  status.DEADLINE_EXCEEDED,
  status.UNIMPLEMENTED,
  status.INTERNAL,
  status.UNAVAILABLE,
  status.DATA_LOSS,
]);

const METADATA: TextMapGetter<Metadata> = {
  keys: (metadata) => Object.keys(metadata.getMap()),
  get(metadata, key) {
    const values = metadata.get(key).filter((value) => typeof value === 'string');
    return values.length > 1 ? values : values[0];
  },
};
