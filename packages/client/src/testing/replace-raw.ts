import { SpecResponseSchema } from '@btfd/api';
import { isMessage } from '@bufbuild/protobuf';
import { type Interceptor, InterceptingCall } from '@grpc/grpc-js';

/** replaceRaw is an interceptor that gives the client other bytes of raw BTF than the daemon sent, in one message. */
export function replaceRaw(bytes: () => Uint8Array | null): Interceptor {
  return (options, nextCall) =>
    new InterceptingCall(nextCall(options), {
      start: (metadata, _, next) => {
        next(metadata, {
          onReceiveMessage: (message: unknown, nextMessage) => {
            const replaced = bytes();
            if (replaced !== null && isMessage(message, SpecResponseSchema) && message.part.case === 'raw') {
              message.part.value = replaced;
            }
            nextMessage(message);
          },
        });
      },
    });
}
