import { ErrorReason } from '@btfd/api';
import type { ServerWritableStream } from '@grpc/grpc-js';
import { ServiceError } from '../error/service-error.js';

/**
 * untilDrained waits until a stream that is full takes messages again.
 *
 * @throws ServiceError with SLOW_READER if the client reads nothing for `maxMs`: a client that is
 * alive and doesn't read brings neither `cancelled` nor a deadline.
 * @throws the signal's reason if it aborts.
 */
export async function untilDrained(
  call: ServerWritableStream<unknown, unknown>,
  signal: AbortSignal,
  maxMs: number,
): Promise<void> {
  signal.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const settle = (act: () => void): void => {
      clearTimeout(timer);
      call.off('drain', drained);
      signal.removeEventListener('abort', aborted);
      act();
    };
    const drained = (): void => settle(resolve);
    const aborted = (): void => settle(() => reject(signal.reason));
    const timer = setTimeout(() => settle(() => reject(slowReader(maxMs))), maxMs);
    call.on('drain', drained);
    signal.addEventListener('abort', aborted);
  });
}

function slowReader(ms: number): ServiceError {
  return new ServiceError(ErrorReason.SLOW_READER, `the client read nothing for ${ms} ms`);
}
