import type { ErrorReason } from '@btfd/api';
import type { Metadata, status } from '@grpc/grpc-js';

/** CallInfo is what is known of a call from its metadata on. */
export interface CallInfo {
  /** The full name of the service, such as `btf.v1.BtfService`. */
  readonly service: string;
  /** The name of the method, such as `LoadHandle`. Both are `unknown` for what isn't served, so that they are bounded. */
  readonly method: string;
  /** What was called where that isn't served, in the client's words; else null. */
  readonly unknownPath: string | null;
  readonly metadata: Metadata;
  /** Names the call in logs and traces, and to its client. */
  readonly requestId: string;
  /** The client's address; empty if it has none, as on a unix socket. */
  readonly peer: string;
  /** Who calls, whether the call was admitted or not; null for nobody. */
  readonly principal: string | null;
  /** What the handler told of the call so far. */
  readonly facts: CallFacts;
}

/** CallFacts are what a handler may tell of its call. */
export interface CallFacts {
  /** The BTF id of the object that the call is about. */
  readonly btfId?: number;
  /** Bytes of its raw BTF. */
  readonly btfBytes?: number;
  /** SHA-256 of its raw BTF, in hexadecimal. */
  readonly digest?: string;
  /** The verifier refused the BTF, which the client asked to be told as a result. */
  readonly rejected?: true;
}

/** CallEnd is how a call ended. */
export interface CallEnd {
  readonly code: status;
  /** The reason that the client was told, null where it was told none. */
  readonly reason: ErrorReason | null;
  /** From its metadata until its status, or until its handler gave up if the client went away. */
  readonly durationMs: number;
  readonly sentMessages: number;
  /** Bytes of requests and answers that come encoded, as those of BtfService do. */
  readonly sentBytes: number;
  readonly receivedBytes: number;
}

/** CallObservation follows one call. */
export interface CallObservation {
  /** Runs the handler, as within a context of its own. */
  run?<T>(work: () => T): T;
  /** Called once. */
  end(end: CallEnd): void;
}

/** CallObserver is told of every call of every service. It must not throw. */
export interface CallObserver {
  begin(call: CallInfo): CallObservation;
}

/** observeWith makes one observer of several. The first `run` is the outermost. */
export function observeWith(observers: readonly CallObserver[]): CallObserver {
  return {
    begin(call) {
      const observations = observers.map((observer) => observer.begin(call));
      return {
        run<T>(work: () => T): T {
          const inOrder = observations.reduceRight<() => T>(
            (inner, observation) => () => (observation.run === undefined ? inner() : observation.run(inner)),
            work,
          );
          return inOrder();
        },
        end(end) {
          for (const observation of observations) observation.end(end);
        },
      };
    },
  };
}
