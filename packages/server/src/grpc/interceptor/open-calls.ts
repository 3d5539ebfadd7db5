import { constants } from 'node:http2';
import {
  type Metadata,
  ServerInterceptingCall,
  type ServerInterceptor,
  type ServerInterceptingCallInterface,
  type StatusObject,
} from '@grpc/grpc-js';
import { resetTransport } from './transport-call.js';

/**
 * OpenCalls knows the streams that are open, so that they can be ended at shutdown: health's Watch and
 * reflection would keep it waiting otherwise.
 */
export class OpenCalls {
  private readonly streams = new Set<ServerInterceptingCallInterface>();
  private readonly transports = new WeakMap<Metadata, ServerInterceptingCallInterface>();

  /** Follows every call. */
  readonly interceptor: ServerInterceptor = (method, call) => {
    let ended = false;
    const intercepting = new ServerInterceptingCall(call, {
      start: (next) => {
        if (method.requestStream || method.responseStream) this.streams.add(intercepting);
        next({
          onReceiveMetadata: (metadata, forward) => {
            this.transports.set(metadata, call);
            forward(metadata);
          },
          onReceiveMessage: (message, forward) => forward(message),
          onReceiveHalfClose: (forward) => forward(),
          onCancel: () => this.streams.delete(intercepting),
        });
      },
      // What a handler wrote may still wait in its stream. grpc-js would write it behind the end of the HTTP/2 stream,
      // which then never ends: the client gets no status, and the drain waits for its whole time.
      sendMessage: (message, next) => {
        if (!ended) next(message);
      },
      sendStatus: (status, next) => {
        ended = true;
        this.streams.delete(intercepting);
        next(status);
      },
    });
    return intercepting;
  };

  /**
   * Breaks the stream of a call, known by its metadata: to a client that doesn't read, its status waits behind
   * what flow control holds back, so that the stream would stay for as long as the client likes.
   */
  reset(metadata: Metadata): void {
    const call = this.transports.get(metadata);
    if (call !== undefined) resetTransport(call, constants.NGHTTP2_CANCEL);
  }

  /** Ends every open stream with a status. */
  endStreams(status: Pick<StatusObject, 'code' | 'details' | 'metadata'>): void {
    for (const call of this.streams) call.sendStatus(status);
  }
}
