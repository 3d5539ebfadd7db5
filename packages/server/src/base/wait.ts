import { systemClock, type Clock } from './clock.js';

/** WaitOptions say what else ends a wait. */
export interface WaitOptions {
  /** Ends the wait with an error when it aborts. Default: none. */
  readonly signal?: AbortSignal;
  /** The longest time to wait, in milliseconds. Default: no limit. */
  readonly ms?: number;
  /** Measures that time. Default: the system's clock. */
  readonly clock?: Clock;
}

/**
 * wait waits for an event, for a limited time, unless a signal aborts. The first of the three ends the wait, which
 * then unsubscribes from the others at once, before anything else can happen.
 *
 * @param subscribe - gets the function to call at the event; returns the function that unsubscribes, if there is one
 * @returns true at the event, false when the time is over.
 * @throws the signal's reason when it aborts, or has aborted.
 */
export async function wait(
  subscribe: (wake: () => void) => (() => void) | void,
  { signal, ms = Infinity, clock = systemClock }: WaitOptions = {},
): Promise<boolean> {
  signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    let settled = false;
    let unsubscribe: (() => void) | void = undefined;
    const settle = (act: () => void): void => {
      if (settled) return;
      settled = true;
      signal?.removeEventListener('abort', onAbort);
      timer?.cancel();
      unsubscribe?.();
      act();
    };
    const onAbort = (): void => settle(() => reject(signal?.reason));
    signal?.addEventListener('abort', onAbort);
    const timer = ms === Infinity ? null : clock.after(ms, () => settle(() => resolve(false)));
    unsubscribe = subscribe(() => settle(() => resolve(true)));
    // The event happened while `subscribe` ran.
    if (settled) unsubscribe?.();
  });
}
