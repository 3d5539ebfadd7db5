import type { ServiceError } from '../../error/service-error.js';
import type { Claim } from '../../quota/quota.js';
import type { CallContext } from './call-context.js';
import type { ServedMethod } from './served-methods.js';

/** CallClaims are the parts of quotas that one call has taken. */
export class CallClaims {
  /** Until the end of the call. */
  #call: Claim | null = null;
  #load: Claim | null = null;
  /** While the request arrives. */
  #object: Claim | null = null;

  /**
   * Takes the parts for a call of a method.
   *
   * @throws ServiceError QUOTA_EXCEEDED if there is no room. `end` must follow.
   */
  take(quotas: CallContext['quotas'], { isStream, isLoad }: ServedMethod, principal: string): void {
    this.#call = (isStream ? quotas.streams : quotas.calls).take(principal);
    // A load may bring as much as all other calls of a principal together.
    if (isLoad) this.#load = quotas.loads.take(principal);
  }

  /** Takes the bytes of a request with an object. Returns the error if there is no room; otherwise null. */
  takeObject({ objectBytes }: CallContext['quotas'], bytes: number, principal: string): ServiceError | null {
    const refusal = objectBytes.refusal(principal, bytes);
    if (refusal === null) this.#object = objectBytes.take(principal, bytes);
    return refusal;
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
