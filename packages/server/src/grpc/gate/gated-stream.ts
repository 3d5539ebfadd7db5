import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { Link } from '../../base/linked-list.js';
import type { StreamFollower } from '../interceptor/internals.js';
import type { GatedConnection } from './gated-connection.js';

/** DATA frames of a stream that may be smaller than on average. A request comes in one, or in frames of 16 KiB. */
const MAX_SMALL_CHUNKS = 1_000;
const CHUNK_BYTES = 512;

/** StreamEvents gets what happens to the streams of all connections. */
export interface StreamEvents {
  /** The event loop has worked on something that came from a connection. */
  worked(connection: GatedConnection): void;
  closed(gated: GatedStream): void;
}

/** GatedStream is a stream of a connection, from its headers to its end. */
export class GatedStream implements StreamFollower {
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
  readonly connection: GatedConnection;
  readonly openedAt: number;
  /** Its place among the streams that are not calls yet. */
  waiting: Link<GatedStream> | null = null;
  /** Whether its connection has refused it, and counted that. */
  isRefused = false;
  readonly #events: StreamEvents;
  #chunksLeft = MAX_SMALL_CHUNKS;

  constructor(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    connection: GatedConnection,
    events: StreamEvents,
    openedAt: number,
  ) {
    this.stream = stream;
    this.headers = headers;
    this.connection = connection;
    this.#events = events;
    this.openedAt = openedAt;
  }

  /** A byte in a DATA frame of its own takes 100 bytes of memory until its request is complete, and 5 µs. */
  received(bytes: number): void {
    this.#events.worked(this.connection);
    this.#chunksLeft += bytes / CHUNK_BYTES - 1;
    if (this.#chunksLeft < 0) this.stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }

  closed(): void {
    this.#events.closed(this);
  }
}
