import type { ErrorReason, VerdictName } from '@btfd/api';
import type { Metadata, status } from '@grpc/grpc-js';

/** CallInfo is what is known about a call after its metadata has arrived. */
export interface CallInfo {
  /** The full name of the service, such as `btf.v1.BtfService`. */
  readonly service: string;
  /** The name of the method, such as `LoadHandle`. Both are `unknown` for a method that is not served: their number is limited. */
  readonly method: string;
  /** The path of a method that is not served, as the client sent it; otherwise null. */
  readonly unknownPath: string | null;
  readonly metadata: Metadata;
  /** The id of the call in logs and traces, and for its client. */
  readonly requestId: string;
  /** The client's address; empty if it has none, as on a unix socket. */
  readonly peer: string;
  /** The principal that calls, whether the call was admitted or not; null if it is not known. */
  readonly principal: string | null;
  /** The facts that the handler has noted until now. */
  readonly facts: CallFacts;
}

/** CallFacts are what a handler can note about its call. */
export interface CallFacts {
  /** The BTF id of the object that the call is about. */
  readonly btfId?: number;
  /** Bytes of its raw BTF. */
  readonly btfBytes?: number;
  /** SHA-256 of its raw BTF, in hexadecimal. */
  readonly digest?: string;
  /** The kernel rejected the BTF, and the client asked to get that as a result. */
  readonly rejected?: true;
  /** The call has granted a lease, or renewed that of a handle that was taken again, whether the client gets to know it or not. */
  readonly leased?: true;
  /** Bytes of the BPF object that is checked. */
  readonly objectBytes?: number;
  /** SHA-256 of the BPF object, in hexadecimal. */
  readonly objectDigest?: string;
  /** The verdict on the object. */
  readonly verdict?: VerdictName;
}

/** CallEnd describes how a call ended. */
export interface CallEnd {
  readonly code: status;
  /** The reason that the client got; null if it got none. */
  readonly reason: ErrorReason | null;
  /** From its metadata to its status, or to the end of its handler if the client went away. */
  readonly durationMs: number;
  readonly sentMessages: number;
  /** Bytes of messages that pass here encoded, as those of BtfService do. */
  readonly sentBytes: number;
  readonly receivedBytes: number;
}

/** CallObservation observes one call. */
export interface CallObservation {
  /** Runs the handler, for example in a context of its own. */
  run?<T>(work: () => T): T;
  /** Is called once, when the call has ended. */
  end(end: CallEnd): void;
}

/** CallObserver observes every call of every service. It must not throw. */
export interface CallObserver {
  begin(call: CallInfo): CallObservation;
}

/** observeWith combines several observers. The `run` of the first is the outermost. */
export function observeWith(observers: readonly CallObserver[]): CallObserver {
  return { begin: (call) => new Observations(observers.map((observer) => observer.begin(call))) };
}

class Observations implements CallObservation {
  readonly #all: readonly CallObservation[];

  constructor(all: readonly CallObservation[]) {
    this.#all = all;
  }

  run<T>(work: () => T): T {
    return this.#all.reduceRight<() => T>(
      (inner, each) => (runs(each) ? () => each.run(inner) : inner),
      work,
    )();
  }

  end(end: CallEnd): void {
    for (const each of this.#all) each.end(end);
  }
}

function runs(observation: CallObservation): observation is Required<CallObservation> {
  return observation.run !== undefined;
}
