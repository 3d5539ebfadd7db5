import { anAbortSignal, aTtl, milliseconds, type Rules } from '../error/argument.js';

/** CallOptions are the options of one call. */
export interface CallOptions {
  /** Aborting it cancels the call, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Deadline in milliseconds, told to the daemon; Infinity for none. Default: the client's `timeout`. */
  readonly timeout?: number | undefined;
}

/** LeaseOptions are the options of a call that gives a lease. */
export interface LeaseOptions extends CallOptions {
  /**
   * The TTL to ask for, in milliseconds: how long the daemon holds the object when it hears nothing. The
   * daemon grants what its limits allow. Default: the daemon's.
   */
  readonly ttl?: number | undefined;
}

/** CALL_RULES are the rules of {@link CallOptions}. */
export const CALL_RULES: Rules<CallOptions> = { signal: anAbortSignal, timeout: milliseconds };

/** LEASE_RULES are the rules of {@link LeaseOptions}. */
export const LEASE_RULES: Rules<LeaseOptions> = { ...CALL_RULES, ttl: aTtl };
