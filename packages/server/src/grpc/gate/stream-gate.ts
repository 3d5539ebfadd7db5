import type { Http2Session, IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { LRUCache } from 'lru-cache';
import type { Server as GrpcServer } from '@grpc/grpc-js';
import { ServiceError } from '../../error/service-error.js';
import { unauthenticated, type Arrival, type Connection } from '../interceptor/admit.js';
import type { Calls } from '../interceptor/calls.js';
import { followStream, injectorOf, type Injector } from '../interceptor/internals.js';
import { GatedConnection, newPrincipal, type Principal } from './gated-connection.js';
import { GatedStream, type StreamEvents } from './gated-stream.js';
import { LoopTurn } from './loop-turn.js';
import { mostMetadataOf, notGrpc, takeFarTimeout } from './request-head.js';

/**
 * The streams of all clients but good ones that become calls in one turn of the event loop. Each takes some 0.2 ms with its
 * handler. Neither kind can keep the other from being served.
 */
const STREAMS_PER_TURN = 8;
/** The same of good clients. With fewer, a turn writes fewer responses at once, so that each call takes more CPU time. */
const GOOD_STREAMS_PER_TURN = 32;
/** Principals that are remembered. There are more only if somebody makes certificates without end. */
const MAX_PRINCIPALS = 4_096;

/** GateOptions are the options of a StreamGate. */
export interface GateOptions {
  readonly calls: Pick<Calls, 'interceptor' | 'refuse'>;
  /** Is called when a connection is ended because of its streams. */
  readonly onEnded: (principal: string) => void;
  /** Returns the time in milliseconds. */
  readonly now: () => number;
}

/**
 * StreamGate stands between HTTP/2 and grpc-js, and decides when a stream becomes a call.
 *
 * A client can open and reset thousands of streams in the time that one call takes. So only a few streams become calls in
 * each turn of the event loop, and connections take turns. A stream that is reset before its turn costs little. A
 * connection whose streams are mostly reset or refused is ended.
 */
export class StreamGate {
  readonly #injector: Injector;
  readonly #options: GateOptions;
  readonly #turn: LoopTurn;
  readonly #bySession = new WeakMap<Http2Session, GatedConnection>();
  readonly #principals = new LRUCache<string, Principal>({ max: MAX_PRINCIPALS });
  readonly #good = new Ring(GOOD_STREAMS_PER_TURN);
  readonly #others = new Ring(STREAMS_PER_TURN);
  /** One for all streams. */
  readonly #events: StreamEvents = {
    worked: (connection) => this.#turn.worked(connection),
    closed: (gated) => this.#closed(gated),
  };
  #arrival: Arrival | null = null;

  constructor(grpc: GrpcServer, options: GateOptions) {
    this.#options = options;
    this.#turn = new LoopTurn(() => this.#serveWaiting(), options.now);
    const interceptor = options.calls.interceptor(() => this.#arriving());
    this.#injector = injectorOf(grpc, interceptor, (stream, headers) => this.#opened(stream, headers));
  }

  /**
   * Serves the calls of a connection.
   *
   * @param name - the principal that the connection counts for
   */
  serve(socket: Socket, connection: Connection, name: string): void {
    const session = this.#injector.connect(socket);
    if (session === null) return;
    const { now } = this.#options;
    const principal = this.#principals.get(name) ?? newPrincipal(name, now);
    this.#principals.set(name, principal);
    const gated = new GatedConnection(socket, session, connection, principal, now);
    this.#bySession.set(session, gated);
    this.#turn.add(gated);
    // Nothing is gained from answering several calls with the same error at once.
    if (gated.isNobody) session.settings({ maxConcurrentStreams: 1 });
  }

  #opened(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    const connection = stream.session === undefined ? undefined : this.#bySession.get(stream.session);
    if (connection === undefined) return void stream.destroy();
    // It ends with its connection, in the next turn.
    if (connection.ended) {
      stream.on('error', () => {});
      return this.#turn.worked(connection);
    }
    const gated = new GatedStream(stream, headers, connection, this.#events, this.#options.now());
    followStream(stream, gated);
    this.#turn.worked(connection);
    const ring = this.#ringOf(connection);
    if (ring.waiting.size === 0 && ring.served < ring.perTurn) {
      ring.served += 1;
      this.#begin(gated);
    } else if (connection.wait(gated)) {
      ring.waiting.add(connection);
    } else if (!connection.refuse(gated)) {
      this.#end(connection);
    }
  }

  #ringOf({ trusted }: GatedConnection): Ring {
    return trusted ? this.#good : this.#others;
  }

  #closed(gated: GatedStream): void {
    const { connection } = gated;
    const mayContinue = connection.closed(gated, this.#options.now() - gated.openedAt);
    if (!connection.hasWaiting) {
      this.#good.waiting.delete(connection);
      this.#others.waiting.delete(connection);
    }
    if (!mayContinue) this.#end(connection);
  }

  #end(connection: GatedConnection): void {
    if (connection.ended) return;
    connection.end();
    this.#options.onEnded(connection.principal.name);
  }

  #serveWaiting(): void {
    for (const ring of [this.#good, this.#others]) {
      ring.served = 0;
      for (const connection of ring.waiting) {
        if (ring.served === ring.perTurn) break;
        ring.waiting.delete(connection);
        const next = connection.next();
        // A set visits what is added meanwhile, so the connection may have another turn in this loop.
        if (connection.hasWaiting) this.#ringOf(connection).waiting.add(connection);
        if (next === null) continue;
        ring.served += 1;
        this.#begin(next);
      }
    }
    if (this.#good.waiting.size + this.#others.waiting.size > 0) this.#turn.begin();
  }

  #begin({ stream, headers, connection: { connection, address } }: GatedStream): void {
    if (stream.closed || stream.destroyed) return;
    const refused = notGrpc(headers);
    if (refused !== null) return stream.respond(refused, { endStream: true });
    try {
      if (connection.refusal !== null) throw connection.refusal;
      if (connection.peer.kind === 'unknown') throw unauthenticated(connection.peer.why);
      const farDeadline = Date.now() + takeFarTimeout(headers);
      this.#arrival = { connection, address, mostMetadata: mostMetadataOf(headers), farDeadline };
      this.#injector.serve(stream, headers);
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      const isKnown = this.#injector.has(headers[':path'] ?? '');
      this.#options.calls.refuse({ stream, headers, connection, address, isKnown }, error);
    } finally {
      this.#arrival = null;
    }
  }

  #arriving(): Arrival {
    if (this.#arrival === null) throw new Error('grpc-js began a call that did not pass the gate');
    return this.#arrival;
  }
}

/** Ring is connections that take turns. */
class Ring {
  /** Connections with streams that wait, in the order in which they are served. */
  readonly waiting = new Set<GatedConnection>();
  /** The streams that became calls in this turn of the event loop. */
  served = 0;
  readonly perTurn: number;

  /** @param perTurn - the most streams that become calls in one turn of the event loop */
  constructor(perTurn: number) {
    this.perTurn = perTurn;
  }
}
