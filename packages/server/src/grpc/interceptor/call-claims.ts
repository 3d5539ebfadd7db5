import type { Claim } from '../../quota/quota.js';
import type { CallContext } from './call-context.js';
import type { ServedMethod } from './served-methods.js';

/** CallClaims are the parts of quotas that one call has taken. */
export class CallClaims {
  /** Until the end of the call. */
  #call: Claim | null = null;
  #load: Claim | null = null;
  /** Until the request has arrived. Only then its size is known. */
  #object: Claim | null = null;

  /**
   * Takes the parts for a call of a method.
   *
   * @throws ServiceError QUOTA_EXCEEDED if there is no room. `end` must follow.
   */
  take(
    quotas: CallContext['quotas'],
    { isStream, isLoad, objectBytes }: ServedMethod,
    principal: string,
  ): void {
    this.#call = (isStream ? quotas.streams : quotas.calls).take(principal);
    // A load may bring as much as all other calls of a principal together.
    if (isLoad) this.#load = quotas.loads.take(principal);
    if (objectBytes > 0) this.#object = quotas.objectBytes.take(principal, objectBytes);
  }

  /** Notes that the request has arrived. */
  requestArrived(): void {
    this.#object?.[Symbol.dispose]();
  }

  /** Gives all parts back. */
  end(): void {
    this.#call?.[Symbol.dispose]();
    this.#load?.[Symbol.dispose]();
    this.#object?.[Symbol.dispose]();
  }
}
