import { status } from '@grpc/grpc-js';
import type { BtfError } from '../error/btf-error.js';

const FIRST_BACKOFF_MS = 100;
/** A daemon that restarts is back within seconds. One that stays away is tried no more often than this. */
const MAX_BACKOFF_MS = 5_000;

/** The random share that is added to a delay that the daemon requests, so that its clients do not all return at once. */
const JITTER = 0.5;

/** DEFAULT_RETRIES is how often a call is repeated by default: about 3 s, which is enough for a daemon's restart. */
export const DEFAULT_RETRIES = 5;

/** FailedAttempt describes a failed attempt of a call. */
export interface FailedAttempt {
  readonly error: BtfError;
  /** Whether the call can be made twice without harm. */
  readonly repeatable: boolean;
  /** Whether the daemon may have received the request. */
  readonly sent: boolean;
}

/**
 * mayRepeat reports whether a failed call can be repeated without doing its work twice. That is so if the
 * daemon refused it and said when to come back, if the daemon did not get it, or if the call can be made twice.
 */
export function mayRepeat({ error, repeatable, sent }: FailedAttempt): boolean {
  const isBusy = error.code === status.RESOURCE_EXHAUSTED || error.code === status.UNAVAILABLE;
  if (isBusy && error.retryDelay !== null) return true;
  if (error.code !== status.UNAVAILABLE) return false;
  // The effects of a call end with its daemon.
  return repeatable || !sent || error.reason === 'SHUTTING_DOWN';
}

/**
 * pauseBefore returns how long to wait before an attempt, in milliseconds.
 *
 * @param retry 0 for the second attempt.
 * @param random a number from 0 to 1.
 */
export function pauseBefore(retry: number, { retryDelay }: BtfError, random: number): number {
  // Never sooner than the daemon said.
  if (retryDelay !== null) return retryDelay * (1 + JITTER * random);
  return backoffMs(retry + 1, random);
}

/**
 * backoffMs returns how long to wait before another attempt, in milliseconds. The pause doubles after each failure,
 * less a random part of up to a half, so that many clients do not return at once.
 *
 * @param failures failed attempts since the last success, from 1.
 * @param random a number from 0 to 1.
 */
export function backoffMs(failures: number, random: number): number {
  return Math.min(FIRST_BACKOFF_MS * 2 ** (failures - 1), MAX_BACKOFF_MS) * (1 - random / 2);
}
