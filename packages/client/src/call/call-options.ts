import { type Duration, durationOf } from '../base/duration.js';
import { anAbortSignal, aTtl, milliseconds, type Rules } from '../error/argument.js';

/** CallOptions are the options of one call. */
export interface CallOptions {
  /** Aborting it cancels the call, which then rejects with the signal's reason. Default: none. */
  readonly signal?: AbortSignal | undefined;
  /** The deadline in milliseconds, which the daemon gets too; Infinity for none. Default: the client's `timeout`. */
  readonly timeout?: number | undefined;
}

/** LeaseOptions are the options of a call that grants a lease. */
export interface LeaseOptions extends CallOptions {
  /**
   * The TTL to request, in milliseconds: how long the daemon holds the object without a renewal. The daemon grants the
   * nearest TTL within its limits. Default: the daemon's, 60 s unless its operator changed it.
   */
  readonly ttl?: number | undefined;
}

/** CALL_RULES are the rules of {@link CallOptions}. */
export const CALL_RULES: Rules<CallOptions> = { signal: anAbortSignal, timeout: milliseconds };

/** LEASE_RULES are the rules of {@link LeaseOptions}. */
export const LEASE_RULES: Rules<LeaseOptions> = { ...CALL_RULES, ttl: aTtl };

/** ttlMessage returns the message of a TTL in milliseconds, rounded up to a whole one. */
export function ttlMessage(ttl: number | undefined): Duration | undefined {
  return ttl === undefined ? undefined : durationOf(Math.ceil(ttl));
}
