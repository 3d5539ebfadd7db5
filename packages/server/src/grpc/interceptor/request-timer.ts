import { constants } from 'node:http2';
import { ErrorReason } from '@btfd/api';
import { ServerInterceptingCall, type ServerInterceptor } from '@grpc/grpc-js';
import { ServiceError } from '../../error/service-error.js';
import { toStatus } from '../../error/to-status.js';
import { resetTransport } from './transport-call.js';

/**
 * requestTimer bounds the time that a request takes to come, and what stays of a call that ended before: an interceptor
 * of the server. A client that begins a call and sends no more would keep it for as long as it likes, and one that was
 * refused its HTTP/2 stream, of which nothing bounds how many there are. Where a client sends several messages, the first
 * has to come.
 */
export function requestTimer(ms: number): ServerInterceptor {
  return ({ requestStream }, call) => {
    let hasCome = false;
    const late = (): void => {
      const message = `the request did not come within ${ms} ms`;
      call.sendStatus(toStatus(new ServiceError(ErrorReason.SLOW_SENDER, message)));
    };
    const timer = setTimeout(late, ms).unref();
    return new ServerInterceptingCall(call, {
      start: (next) => {
        next({
          onReceiveMetadata: (metadata, forward) => forward(metadata),
          onReceiveMessage: (message, forward) => {
            if (requestStream) clearTimeout(timer);
            forward(message);
          },
          onReceiveHalfClose: (forward) => {
            hasCome = true;
            clearTimeout(timer);
            forward();
          },
          // Comes once for every call: when its status is sent, or when its client goes.
          onCancel: () => {
            clearTimeout(timer);
            // As RFC 9113 (8.1) has it: what the client still sends is of no use. The status goes before.
            if (!hasCome) resetTransport(call, constants.NGHTTP2_NO_ERROR);
          },
        });
      },
    });
  };
}
