import type { ServerUnaryCall } from '@grpc/grpc-js';

/** AnyCall is what calls of every kind have. */
type AnyCall = Pick<ServerUnaryCall<unknown, unknown>, 'getDeadline' | 'off' | 'on'>;

/** CallScope is the life of a call: its signal aborts at cancellation, deadline or shutdown. */
export interface CallScope extends Disposable {
  readonly signal: AbortSignal;
}

/**
 * openScope follows a call. `cancelled` comes once for every call, after success too; a deadline
 * doesn't bring it while the client isn't reading, hence the timer.
 */
export function openScope(call: AnyCall, shutdown: AbortSignal | null): CallScope {
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  const onShutdown = (): void => controller.abort(shutdown?.reason);
  call.on('cancelled', abort);
  const deadline = call.getDeadline();
  const ms = (deadline instanceof Date ? deadline.getTime() : deadline) - Date.now();
  // setTimeout takes 31 bits; a deadline beyond them is none.
  const timer = ms < 2 ** 31 ? setTimeout(abort, Math.max(0, ms)) : undefined;
  if (shutdown?.aborted === true) onShutdown();
  shutdown?.addEventListener('abort', onShutdown);
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      clearTimeout(timer);
      call.off('cancelled', abort);
      shutdown?.removeEventListener('abort', onShutdown);
    },
  };
}
