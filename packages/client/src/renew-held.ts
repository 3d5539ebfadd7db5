import { onAbort } from './base/on-abort.js';
import type { Session } from './session.js';
import { renewTokens } from './token-calls.js';

/** The daemon ends a stream whose handles nobody took, closed or used for 30 s: two renewals may get lost. */
const PERIOD_MS = 10_000;

/**
 * renewHeld tells the daemon from time to time that handles which a stream holds are still in use. A renewal that
 * fails does not matter by itself: the next may succeed, and a stream that ended says so.
 *
 * @param tokens asked for each time.
 * @param over ends it, too.
 * @returns what ends it.
 */
export function renewHeld(
  { connection, clock, timeout }: Session,
  tokens: () => readonly string[],
  over: AbortSignal,
): () => void {
  let cancel = (): void => {};
  const wait = (): void => {
    cancel = clock.setTimer(() => {
      const limits = { timeout: Math.min(timeout, PERIOD_MS), retries: 0 };
      renewTokens(connection, tokens(), limits).catch(() => {});
      wait();
    }, PERIOD_MS);
  };
  wait();
  const stopListening = onAbort(over, () => cancel());
  return () => {
    stopListening();
    cancel();
  };
}
