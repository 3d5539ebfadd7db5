import {
  ServerInterceptingCall,
  type ServerInterceptor,
  type ServerInterceptingCallInterface,
  type StatusObject,
} from '@grpc/grpc-js';

/**
 * OpenCalls knows the streams that are open, so that they can be ended at shutdown: health's Watch and
 * reflection would keep it waiting otherwise.
 */
export class OpenCalls {
  private readonly streams = new Set<ServerInterceptingCallInterface>();

  /** Follows every call. */
  readonly interceptor: ServerInterceptor = (method, call) => {
    const intercepting = new ServerInterceptingCall(call, {
      start: (next) => {
        if (method.requestStream || method.responseStream) this.streams.add(intercepting);
        next({
          onReceiveMetadata: (metadata, forward) => forward(metadata),
          onReceiveMessage: (message, forward) => forward(message),
          onReceiveHalfClose: (forward) => forward(),
          onCancel: () => this.streams.delete(intercepting),
        });
      },
      sendStatus: (status, next) => {
        this.streams.delete(intercepting);
        next(status);
      },
    });
    return intercepting;
  };

  /** Ends every open stream with a status. */
  endStreams(status: Pick<StatusObject, 'code' | 'details' | 'metadata'>): void {
    for (const call of this.streams) call.sendStatus(status);
  }
}
