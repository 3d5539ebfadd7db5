import { status } from '@grpc/grpc-js';
import { backoffMs } from './backoff.js';
import type { BtfError } from '../error/btf-error.js';

/** So much is added to a delay that the daemon asks for, by chance, so that its clients do not come all at once. */
const JITTER = 0.5;

/** DEFAULT_RETRIES is how often a call is repeated where the client is told nothing else: 3 s bridge a restart. */
export const DEFAULT_RETRIES = 5;

/** FailedAttempt is what is known of an attempt that failed. */
export interface FailedAttempt {
  readonly error: BtfError;
  /** Whether doing the call twice does no more than doing it once. */
  readonly repeatable: boolean;
  /** Whether the daemon may have got the request. */
  readonly sent: boolean;
}

/**
 * mayRepeat says whether a call that failed can be repeated without doing more than it was asked for: the daemon
 * refused it and told when to come back; the daemon was not reached; or it was, and repeating does no harm.
 */
export function mayRepeat({ error, repeatable, sent }: FailedAttempt): boolean {
  const isBusy = error.code === status.RESOURCE_EXHAUSTED || error.code === status.UNAVAILABLE;
  if (isBusy && error.retryDelay !== null) return true;
  if (error.code !== status.UNAVAILABLE) return false;
  // What a daemon that ends has done ends with it.
  return repeatable || !sent || error.reason === 'SHUTTING_DOWN';
}

/**
 * pauseBefore is how long to wait before an attempt, in milliseconds.
 *
 * @param retry 0 for the second attempt.
 * @param random from 0 to 1.
 */
export function pauseBefore(retry: number, { retryDelay }: BtfError, random: number): number {
  // Never sooner than the daemon said.
  if (retryDelay !== null) return retryDelay * (1 + JITTER * random);
  return backoffMs(retry + 1, () => random);
}
