import type { Socket } from 'node:net';

/** StreamsOptions are the options of `streamsBytes`. */
export interface StreamsOptions {
  /** The path of the method that every stream calls. */
  readonly path: string;
  readonly count: number;
  /** Whether each stream is ended and reset at once. */
  readonly reset: boolean;
}

/**
 * streamsBytes returns everything that a client sends to open a number of streams on a new connection. A client can send it
 * at once, much faster than any library would.
 */
export function streamsBytes(options: StreamsOptions): Buffer;

/** chunksBytes returns everything that a client sends to send a request byte by byte on a new connection. */
export function chunksBytes(options: { readonly path: string; readonly request: Uint8Array }): Buffer;

/** connected returns an open connection to a unix socket. It ignores data that arrives, and errors. */
export function connected(path: string): Promise<Socket>;

/** closed waits until a connection is closed, also by an error. */
export function closed(socket: Socket): Promise<void>;
