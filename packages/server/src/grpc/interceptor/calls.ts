import type { ServerInterceptor } from '@grpc/grpc-js';
import type { TlsPeer } from '../../auth/peer.js';
import type { ServiceError } from '../../error/service-error.js';
import { expired, type Arrival } from './admit.js';
import { Call } from './call.js';
import { newCallContext, type CallContext, type CallsOptions } from './call-context.js';
import { refuseEarly, type EarlyCall } from './refuse-early.js';
import type { CallServer } from './served-methods.js';

/** Calls are all calls of a daemon. */
export class Calls {
  readonly #context: CallContext;

  constructor(options: CallsOptions) {
    this.#context = newCallContext(options);
    options.policy.onReplaced(() => {
      for (const call of this.#context.open.values()) call.endIfForbidden();
    });
  }

  /**
   * Returns the interceptor for all calls. It must be the only one.
   *
   * @param arrival - returns the arrival of the call that grpc-js begins now
   */
  interceptor(arrival: () => Arrival): ServerInterceptor {
    return (method, transport) => new Call(method, transport, arrival(), this.#context);
  }

  /** Refuses a call that grpc-js does not get. It is observed like any other. */
  refuse(call: EarlyCall, error: ServiceError): void {
    refuseEarly(call, error, this.#context);
  }

  /**
   * Sets the server of the method with a path, which takes one request. Without one, the handler of grpc-js serves the calls.
   */
  serve(path: string, server: CallServer): void {
    this.#context.methods.serve(path, server);
  }

  /**
   * Ends every stream, and refuses new ones, with an error. Unary calls may finish. The drain limits the time that slow
   * clients have to read the rest, so no stream is reset.
   */
  endStreams(error: ServiceError): void {
    this.#context.ending = error;
    for (const call of this.#context.open.values()) if (call.isStream) call.endWith(error, Infinity);
  }

  /** Ends every call that is still open, with an error. */
  endAll(error: ServiceError): void {
    for (const call of this.#context.open.values()) call.endWith(error);
  }

  /** Ends the calls of a connection whose certificate has expired. New ones are refused on their metadata. */
  endExpired(peer: TlsPeer): void {
    for (const call of this.#context.open.values())
      if (call.connection.peer === peer) call.endWith(expired());
  }
}
