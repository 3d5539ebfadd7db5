import type { ServerUnaryCall } from '@grpc/grpc-js';
import { CallEnded } from './call-ended.js';

/** AnyCall is what calls of every kind have. */
interface AnyCall extends Pick<ServerUnaryCall<unknown, unknown>, 'getDeadline'> {
  on(event: 'cancelled', listener: () => void): unknown;
  off(event: 'cancelled', listener: () => void): unknown;
}

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
  const onCancelled = (): void => controller.abort(CallEnded.cancelled());
  const onDeadline = (): void => controller.abort(CallEnded.deadline());
  const onShutdown = (): void => controller.abort(shutdown?.reason);
  call.on('cancelled', onCancelled);
  const deadline = call.getDeadline();
  const ms = (deadline instanceof Date ? deadline.getTime() : deadline) - Date.now();
  // setTimeout takes 31 bits; a deadline beyond them is none.
  const timer = ms < 2 ** 31 ? setTimeout(onDeadline, Math.max(0, ms)) : undefined;
  if (shutdown?.aborted === true) onShutdown();
  shutdown?.addEventListener('abort', onShutdown);
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      clearTimeout(timer);
      call.off('cancelled', onCancelled);
      shutdown?.removeEventListener('abort', onShutdown);
    },
  };
}
