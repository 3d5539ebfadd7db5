import { ErrorReason } from '@btfd/api';
import {
  ServerInterceptingCall,
  type Metadata,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
} from '@grpc/grpc-js';
import { ServiceError } from '../../error/service-error.js';
import { toStatus } from '../../error/to-status.js';
import { isUnknown } from './unknown-methods.js';
import { PeerCaller, roleForbids, type Caller } from '../../auth/caller.js';
import type { CurrentPolicy } from '../../auth/current-policy.js';
import type { Peer, TlsPeer } from '../../auth/peer.js';
import type { Role } from '../../auth/role.js';

/** CallersOptions are what checking callers needs. */
export interface CallersOptions {
  /** The role that a method needs, by its path; null where none is. */
  readonly roleFor: (path: string) => Role | null;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Breaks the HTTP/2 stream of the call with this metadata. */
  readonly resetStream: (metadata: Metadata) => void;
}

type Method = Parameters<ServerInterceptor>[0];

/** What a connection proves, and whether anything may be done on it. */
interface Bound {
  readonly peer: Peer;
  readonly refusal: ServiceError | null;
}

const UNBOUND: Bound = { peer: { kind: 'unknown', why: 'the connection proves nothing' }, refusal: null };

interface LiveCall {
  readonly peer: Peer;
  readonly caller: PeerCaller;
  readonly path: string;
  readonly metadata: Metadata;
}

const EXPIRED = 'the client certificate has expired since the connection was made';

/** Time for a status to arrive at a client that reads. */
const RESET_AFTER_MS = 1_000;

/**
 * Callers knows who makes each call. What a connection proves is bound to the metadata object of each of its calls, so
 * that there is nothing in a header to forge. A call is refused when its metadata comes, before its message is read.
 */
export class Callers {
  private readonly bound = new WeakMap<Metadata, Bound>();
  private readonly callers = new WeakMap<Metadata, PeerCaller>();
  private readonly live = new Map<ServerInterceptingCallInterface, LiveCall>();

  constructor(
    private readonly policy: CurrentPolicy,
    private readonly options: CallersOptions,
  ) {
    policy.onReplaced(() => this.endForbidden());
  }

  /**
   * Binds a connection's peer to the calls that come on it: an interceptor of the connection's credentials.
   *
   * @param refusal - what every call on the connection is refused with; null where each is judged by itself
   */
  bind(peer: Peer, refusal: ServiceError | null = null): ServerInterceptor {
    const bound = { peer, refusal };
    return (_, call) =>
      new ServerInterceptingCall(call, {
        start: (next) => {
          next({
            onReceiveMetadata: (metadata, forward) => {
              this.bound.set(metadata, bound);
              forward(metadata);
            },
            onReceiveMessage: (message, forward) => forward(message),
            onReceiveHalfClose: (forward) => forward(),
            onCancel: () => {},
          });
        },
      });
  }

  /** The principal that makes the call with this metadata, whether it was let or not; null where nobody is known. */
  principalOf(metadata: Metadata): string | null {
    const peer = this.bound.get(metadata)?.peer;
    return peer === undefined ? null : (this.policy.now.namesOf(peer)[0] ?? null);
  }

  /** The principal that a peer's connections are counted for; those that prove nothing count as one. */
  nameOf(peer: Peer): string {
    return this.policy.now.namesOf(peer)[0] ?? 'nobody';
  }

  /** Refuses calls that their caller may not make: an interceptor of the server. */
  readonly interceptor: ServerInterceptor = (method, call) =>
    new ServerInterceptingCall(call, {
      start: (next) => {
        next({
          onReceiveMetadata: (metadata, forward) => {
            const refusal = this.admit(method, metadata, call);
            if (refusal === null) forward(metadata);
            else call.sendStatus(toStatus(refusal));
          },
          onReceiveMessage: (message, forward) => forward(message),
          onReceiveHalfClose: (forward) => forward(),
          onCancel: () => this.live.delete(call),
        });
      },
    });

  /**
   * The caller of the call with this metadata.
   *
   * @throws ServiceError with UNAUTHENTICATED for a call that was not admitted.
   */
  of(metadata: Metadata): Caller {
    const caller = this.callers.get(metadata);
    if (caller === undefined) throw unauthenticated('nobody is known to make this call');
    return caller;
  }

  /** Ends the calls of a connection whose certificate has ended; `admit` refuses those that come. */
  endExpired(peer: TlsPeer): void {
    for (const [call, live] of this.live) {
      if (live.peer === peer) this.end(call, live.metadata, unauthenticated(EXPIRED));
    }
  }

  /** Null if the call may go on. */
  private admit(
    method: Method,
    metadata: Metadata,
    call: ServerInterceptingCallInterface,
  ): ServiceError | null {
    const { path } = method;
    const { peer, refusal } = this.bound.get(metadata) ?? UNBOUND;
    if (refusal !== null) return refusal;
    const [principal, ...others] = this.policy.now.namesOf(peer);
    if (principal === undefined) return unauthenticated(whyNobody(peer));
    if (peer.kind === 'tls' && this.options.now() > peer.validUntil) {
      return unauthenticated(EXPIRED);
    }
    const caller = new PeerCaller(peer, [principal, ...others], this.policy);
    // What isn't served is told so to everybody who is known.
    const needed = isUnknown(method) ? null : this.options.roleFor(path);
    if (needed !== null && !caller.may(needed)) return roleForbids(caller, needed, methodName(path));
    this.callers.set(metadata, caller);
    this.live.set(call, { peer, caller, path, metadata });
    return null;
  }

  /** Ends the calls that go on by a role which their caller lost. */
  private endForbidden(): void {
    for (const [call, { caller, path, metadata }] of this.live) {
      const lost = caller.lost();
      if (lost !== null) this.end(call, metadata, roleForbids(caller, lost, methodName(path)));
    }
  }

  private end(call: ServerInterceptingCallInterface, metadata: Metadata, why: ServiceError): void {
    call.sendStatus(toStatus(why));
    // To a client that doesn't read, the status doesn't come. Where it came, the stream is closed by then.
    setTimeout(() => this.options.resetStream(metadata), RESET_AFTER_MS).unref();
  }
}

function whyNobody(peer: Peer): string {
  if (peer.kind === 'unknown') return peer.why;
  return 'the client certificate names nobody: it has no URI and no DNS name';
}

function unauthenticated(message: string): ServiceError {
  return new ServiceError(ErrorReason.UNAUTHENTICATED, message);
}

function methodName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
