import { constants, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { status } from '@grpc/grpc-js';
import { LinkedList } from '../../base/linked-list.js';
import type { Connection } from '../interceptor/admit.js';
import { destroyWhileReading } from '../interceptor/internals.js';
import { Budget, type Rate } from './budget.js';
import type { GatedStream } from './gated-stream.js';

/**
 * The calls that a connection may waste: those that its client resets before an answer, and those that are refused. Each
 * call that succeeds makes up for one, so a client that cancels half of its calls never comes near.
 */
const WASTED: Rate = { burst: 100, perSecond: 10 };
/** A client that proves nothing gets errors only, and needs to read one. */
const WASTED_BY_NOBODY: Rate = { burst: 8, perSecond: 1 };
/** The calls that all connections of a principal may waste. */
const WASTED_BY_PRINCIPAL: Rate = { burst: 400, perSecond: 40 };
/** A connection may waste as many whatever other connections of its principal did. */
const FIRST_WASTED = 8;
/**
 * Less than the 1,000 resets, and 33 in each second, after which nghttp2 sends GOAWAY and stops reading. Node does not
 * notice that, not even when the client is gone, so calls would stay open until a ping fails.
 */
const RESETS: Rate = { burst: 900, perSecond: 30 };

/** The codes of calls that are refused whatever they request. */
const REFUSED: ReadonlySet<number> = new Set([
  status.PERMISSION_DENIED,
  status.UNAUTHENTICATED,
  status.UNIMPLEMENTED,
]);

/** Principal is what the connections of a principal share. */
export interface Principal {
  readonly name: string;
  readonly wasted: Budget;
  /** Their streams that are not calls yet. */
  waiting: number;
}

/** Streams of a principal that may wait. It may not have as many calls at one time. */
const MAX_WAITING = 1_024;
/** Streams of a connection that may wait whatever other connections of its principal do. */
const FIRST_WAITING = 8;

/** The codes with which the gate resets streams. */
const RESET_BY_US: ReadonlySet<number> = new Set([
  constants.NGHTTP2_REFUSED_STREAM,
  constants.NGHTTP2_ENHANCE_YOUR_CALM,
]);

/** A call that took longer may have been cancelled at its deadline. */
const PATIENCE_MS = 1_000;

/**
 * Outcome is the end of a stream: its call succeeded; its handler failed; its client cancelled it after a time or a message;
 * it was refused; its client reset it at once.
 */
type Outcome = 'answered' | 'failed' | 'cancelled' | 'refused' | 'reset';

/** GatedConnection is a connection whose streams pass the gate. */
export class GatedConnection {
  readonly socket: Socket;
  readonly session: ServerHttp2Session;
  readonly connection: Connection;
  /** The client's address; empty if it has none, as on a unix socket. */
  readonly address: string;
  /** The principal that it counts for. */
  readonly principal: Principal;
  /** Streams that are not calls yet. */
  readonly #waiting = new LinkedList<GatedStream>();
  readonly #wasted: Budget;
  readonly #resets: Budget;
  #trusted = false;
  #ended = false;

  constructor(
    socket: Socket,
    session: ServerHttp2Session,
    connection: Connection,
    principal: Principal,
    now: () => number,
  ) {
    this.socket = socket;
    this.session = session;
    this.connection = connection;
    const { remoteAddress, remotePort } = socket;
    this.address = remoteAddress === undefined ? '' : `${remoteAddress}:${remotePort}`;
    this.principal = principal;
    this.#wasted = new Budget(this.isNobody ? WASTED_BY_NOBODY : WASTED, now);
    this.#resets = new Budget(RESETS, now);
  }

  /** Whether all of its calls are refused. */
  get isNobody(): boolean {
    return this.connection.peer.kind === 'unknown' || this.connection.refusal !== null;
  }

  /** Whether its last call that counts was worth its cost. */
  get trusted(): boolean {
    return this.#trusted;
  }

  /** Whether it has streams that wait. */
  get hasWaiting(): boolean {
    return this.#waiting.size > 0;
  }

  /**
   * Lets a stream wait. Returns false if too many wait already. The more calls its principal has wasted, the fewer may wait
   * until the calls of the connection succeed. So a client that connects again does not start afresh.
   */
  wait(gated: GatedStream): boolean {
    const { waiting, wasted } = this.principal;
    const most = this.#trusted ? MAX_WAITING : MAX_WAITING * wasted.share;
    if (waiting >= most && this.#waiting.size >= FIRST_WAITING) return false;
    gated.waiting = this.#waiting.add(gated);
    this.principal.waiting += 1;
    return true;
  }

  /**
   * Refuses a stream that may not wait. Returns whether the connection may continue. It counts at once: over TLS, Node closes
   * no stream before it has opened all that one read brought.
   */
  refuse(gated: GatedStream): boolean {
    gated.isRefused = true;
    gated.stream.close(constants.NGHTTP2_REFUSED_STREAM);
    return this.#waste();
  }

  /** Removes and returns the stream that has waited the longest; null if none waits. */
  next(): GatedStream | null {
    const next = this.#waiting.first?.value ?? null;
    if (next !== null) this.#forget(next);
    return next;
  }

  #forget(gated: GatedStream): void {
    if (gated.waiting === null) return;
    this.#waiting.remove(gated.waiting);
    gated.waiting = null;
    this.principal.waiting -= 1;
  }

  /**
   * Notes that a stream has closed. Returns whether the connection may continue.
   *
   * @param ageMs - how long it was open
   */
  closed(gated: GatedStream, ageMs: number): boolean {
    this.#forget(gated);
    if (gated.isRefused) return true;
    const outcome = outcomeOf(gated.stream, ageMs);
    if (this.session.destroyed) {
      // A client that closes its connection resets all of its streams at once. Those that were open for a time may be
      // calls of a connection that breaks.
      if (outcome === 'reset') this.principal.wasted.spend();
      return true;
    }
    // Nobody's calls are all refused, also with codes that other clients get for their calls.
    switch (outcome === 'failed' && this.isNobody ? 'refused' : outcome) {
      case 'answered':
        this.#trusted = true;
        this.#wasted.refund();
        this.principal.wasted.refund();
        return true;
      case 'failed':
        return true;
      case 'cancelled':
        return this.#resets.spend();
      case 'reset': {
        const mayReset = this.#resets.spend();
        return this.#waste() && mayReset;
      }
      case 'refused':
        return this.#waste();
    }
  }

  #waste(): boolean {
    this.#trusted = false;
    const principalMay = this.principal.wasted.spend();
    return this.#wasted.spend() && (principalMay || this.#wasted.used < FIRST_WASTED);
  }

  /** Whether it has been ended. It may have streams until the end of the turn. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Ends the connection, with its calls. */
  end(): void {
    this.#ended = true;
    const error = new Error('too many calls were reset or refused');
    destroyWhileReading(this.session, error, constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }
}

/** newPrincipal returns a principal that has wasted nothing. */
export function newPrincipal(name: string, now: () => number): Principal {
  return { name, wasted: new Budget(WASTED_BY_PRINCIPAL, now), waiting: 0 };
}

function outcomeOf({ sentHeaders, sentTrailers, rstCode }: ServerHttp2Stream, ageMs: number): Outcome {
  if (sentTrailers !== undefined) return Number(sentTrailers['grpc-status']) === 0 ? 'answered' : 'failed';
  if (sentHeaders === undefined) {
    if (RESET_BY_US.has(rstCode)) return 'refused';
    return ageMs < PATIENCE_MS ? 'reset' : 'cancelled';
  }
  const code = sentHeaders['grpc-status'];
  if (code !== undefined) return REFUSED.has(Number(code)) ? 'refused' : 'failed';
  return Number(sentHeaders[':status']) === 200 ? 'cancelled' : 'refused';
}
