import { once } from 'node:events';
import {
  connect as connectHttp2,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type OutgoingHttpHeaders,
} from 'node:http2';
import { connect, type Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';

/** RawAnswer is the result of a request: the gRPC status if there was one, and the code that reset the stream. */
export interface RawAnswer {
  readonly grpcStatus: number | null;
  readonly resetCode: number;
}

/** RawHttp2 is an HTTP/2 client of a daemon that does not follow the rules of gRPC. */
export class RawHttp2 implements Disposable {
  readonly session: ClientHttp2Session;

  constructor(path: string, settings: { readonly initialWindowSize?: number } = {}) {
    this.session = connectHttp2('http://localhost', { createConnection: () => connect(path), settings });
    this.session.on('error', () => {});
  }

  /** Opens a stream to a method of BtfService. */
  open(method: string, headers: OutgoingHttpHeaders = {}): ClientHttp2Stream {
    const stream = this.session.request({
      ':method': 'POST',
      ':path': `/btf.v1.BtfService/${method}`,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    });
    stream.on('error', () => {});
    return stream;
  }

  /** Sends bytes as the message of a request, and returns the result after at most 5 s. */
  async request(method: string, message: Uint8Array, headers: OutgoingHttpHeaders = {}): Promise<RawAnswer> {
    const stream = this.open(method, headers);
    let grpcStatus: number | null = null;
    const note = (received: OutgoingHttpHeaders): void => {
      const word = received['grpc-status'];
      if (word !== undefined) grpcStatus = Number(word);
    };
    stream.on('response', note).on('trailers', note);
    stream.resume();
    stream.end(framed(message));
    if (!stream.closed) {
      const closed = new Promise((resolve) => stream.once('close', resolve));
      await Promise.race([closed, setTimeout(5_000, null, { ref: false })]);
    }
    return { grpcStatus, resetCode: stream.rstCode };
  }

  [Symbol.dispose](): void {
    this.session.destroy();
  }
}

/** framed returns a message in the framing of gRPC. */
export function framed(message: Uint8Array): Buffer {
  const frame = Buffer.alloc(5 + message.length);
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, 5);
  return frame;
}

/** silentSockets opens connections that send nothing. It also returns those that were refused or dropped, closed. */
export async function silentSockets(path: string, count: number): Promise<Socket[]> {
  const sockets = Array.from({ length: count }, () =>
    connect(path)
      .on('error', () => {})
      .resume(),
  );
  await Promise.all(
    sockets.map(async (socket) => {
      if (socket.connecting)
        await Promise.race([once(socket, 'connect'), once(socket, 'close')]).catch(() => null);
    }),
  );
  return sockets;
}
