import { ErrorReason } from '@btfd/api';
import { ServerInterceptingCall, type ServerInterceptor } from '@grpc/grpc-js';
import { ServiceError } from '../error/service-error.js';
import { toStatus } from '../error/to-status.js';
import { resetTransport, transportStream } from './transport-call.js';

/** Time for a status to arrive at a client that reads. */
const RESET_AFTER_MS = 1_000;

/**
 * requestTimer bounds the time that a request takes to come: an interceptor of the server. A client that begins a call
 * and sends no more would keep it for as long as it likes, and one that was refused its HTTP/2 stream. Where a client
 * sends several messages, the first has to come.
 */
export function requestTimer(ms: number): ServerInterceptor {
  return ({ requestStream }, call) => {
    const late = (): void => {
      const message = `the request did not come within ${ms} ms`;
      // Goes nowhere where the call has ended already.
      call.sendStatus(toStatus(new ServiceError(ErrorReason.SLOW_SENDER, message)));
      setTimeout(() => resetTransport(call), RESET_AFTER_MS).unref();
    };
    const timer = setTimeout(late, ms).unref();
    const stop = (): void => clearTimeout(timer);
    transportStream(call)?.once('close', stop);
    return new ServerInterceptingCall(call, {
      start: (next) => {
        next({
          onReceiveMetadata: (metadata, forward) => forward(metadata),
          onReceiveMessage: (message, forward) => {
            if (requestStream) stop();
            forward(message);
          },
          onReceiveHalfClose: (forward) => {
            stop();
            forward();
          },
          onCancel: () => {},
        });
      },
    });
  };
}
