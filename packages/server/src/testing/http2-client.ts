import {
  connect as connectHttp2,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type Settings,
} from 'node:http2';
import { connect } from 'node:net';

/** Http2Client speaks gRPC in ways that no library does. */
export class Http2Client implements Disposable {
  readonly session: ClientHttp2Session;

  constructor(socket: string, settings: Settings = {}) {
    this.session = connectHttp2('http://localhost', { createConnection: () => connect(socket), settings });
    this.session.on('error', () => {});
  }

  /** Begins a call. The caller writes to its stream and ends it. */
  call(path: string, headers: Readonly<Record<string, string>> = {}): ClientHttp2Stream {
    const stream = this.session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    });
    return stream.on('error', () => {});
  }

  [Symbol.dispose](): void {
    this.session.destroy();
  }
}

/** grpcFrame returns the gRPC frame of a message. */
export function grpcFrame(message: Uint8Array, compressed = false): Buffer {
  const frame = Buffer.alloc(5 + message.length);
  frame.writeUInt8(compressed ? 1 : 0);
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, 5);
  return frame;
}
