import {
  Metadata,
  ServerInterceptingCall,
  type ServerInterceptor,
  type ServerInterceptingCallInterface,
} from '@grpc/grpc-js';
import type { CallObserver } from './call-observer.js';
import { CallRecord } from './call-record.js';
import { REQUEST_ID, requestIdOf } from './request-id.js';

/**
 * ObservedCalls tells an observer of every call of every service. What grpc-js refuses before it looks for
 * interceptors, such as an unknown method, does not come here.
 */
export class ObservedCalls {
  private readonly records = new WeakMap<Metadata, CallRecord>();

  constructor(private readonly observer: CallObserver) {}

  /** Follows every call. Must be the first, so that it sees what others refuse. */
  readonly interceptor: ServerInterceptor = ({ path }, call) => {
    let record: CallRecord | null = null;
    let sentMetadata = false;
    return new ServerInterceptingCall(call, {
      start: (next) => {
        next({
          onReceiveMetadata: (metadata, forward) => {
            record = this.begin(path, metadata, call);
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

  private begin(path: string, metadata: Metadata, call: ServerInterceptingCallInterface): CallRecord {
    const [, service = '', method = ''] = path.split('/');
    const deadline = call.getDeadline();
    const peer = call.getPeer();
    const record = new CallRecord(
      {
        service,
        method,
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
