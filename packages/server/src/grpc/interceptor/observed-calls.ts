import {
  Metadata,
  ServerInterceptingCall,
  type ServerInterceptor,
  type ServerInterceptingCallInterface,
} from '@grpc/grpc-js';
import type { CallObserver } from './call-observer.js';
import { CallRecord } from './call-record.js';
import { REQUEST_ID, requestIdOf } from './request-id.js';
import { isUnknown } from './unknown-methods.js';

type Called = Parameters<ServerInterceptor>[0];

/** Stands for every path that isn't served. */
const UNKNOWN = ['', 'unknown', 'unknown'];

/**
 * ObservedCalls tells an observer of every call of every service. What grpc-js refuses before it looks for
 * interceptors, which is what isn't gRPC by its content type, does not come here.
 */
export class ObservedCalls {
  private readonly records = new WeakMap<Metadata, CallRecord>();

  constructor(private readonly observer: CallObserver) {}

  /** Follows every call. Must be the first, so that it sees what others refuse. */
  readonly interceptor: ServerInterceptor = (method, call) => {
    let record: CallRecord | null = null;
    let sentMetadata = false;
    return new ServerInterceptingCall(call, {
      start: (next) => {
        next({
          onReceiveMetadata: (metadata, forward) => {
            record = this.begin(method, metadata, call);
            forward(metadata);
          },
          onReceiveMessage: (message: unknown, forward) => {
            record?.received(message);
            forward(message);
          },
          onReceiveHalfClose: (forward) => forward(),
          onCancel: () => record?.gone(),
        });
      },
      sendMetadata: (metadata, next) => {
        sentMetadata = true;
        next(withRequestId(metadata, record));
      },
      sendMessage: (message: unknown, next) => {
        record?.sent(message);
        next(message);
      },
      sendStatus: (status, next) => {
        record?.sentStatus({ code: status.code ?? 0, metadata: status.metadata ?? new Metadata() });
        // What fails before any message has no other metadata than its trailers.
        next(sentMetadata ? status : { ...status, metadata: withRequestId(status.metadata, record) });
      },
    });
  };

  /** The record of a call, known by its metadata. */
  of(metadata: Metadata): CallRecord | undefined {
    return this.records.get(metadata);
  }

  private begin(called: Called, metadata: Metadata, call: ServerInterceptingCallInterface): CallRecord {
    const { path } = called;
    const unknownPath = isUnknown(called) ? path : null;
    const [, service = '', method = ''] = unknownPath === null ? path.split('/') : UNKNOWN;
    const deadline = call.getDeadline();
    const peer = call.getPeer();
    const record = new CallRecord(
      {
        service,
        method,
        unknownPath,
        metadata,
        requestId: requestIdOf(metadata),
        // grpc-js's word for a unix socket.
        peer: peer === 'unknown' ? '' : peer,
        deadline: deadline instanceof Date ? deadline.getTime() : deadline,
      },
      this.observer,
    );
    this.records.set(metadata, record);
    return record;
  }
}

function withRequestId(metadata: Metadata | null | undefined, record: CallRecord | null): Metadata {
  const all = metadata?.clone() ?? new Metadata();
  if (record !== null) all.set(REQUEST_ID, record.requestId);
  return all;
}
