import { once } from 'node:events';
import { connect } from 'node:net';

/** Numbers of RFC 9113 and RFC 7541. */
const DATA = 0;
const HEADERS = 1;
const RST_STREAM = 3;
const SETTINGS = 4;
const END_STREAM = 1;
const END_HEADERS = 4;
const CANCEL = 8;
const NOTHING = Buffer.alloc(0);
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

/**
 * streamsBytes returns everything that a client sends to open a number of streams on a new connection. A client sends it
 * at once, much faster than any library.
 */
export function streamsBytes({ path, count, reset }) {
  const code = Buffer.alloc(4);
  code.writeUInt32BE(CANCEL);
  const frames = [PREFACE, frame(SETTINGS, 0, 0, NOTHING)];
  for (let index = 0; index < count; index++) {
    const id = 2 * index + 1;
    frames.push(frame(HEADERS, END_HEADERS, id, index === 0 ? firstHeaders(path) : LATER_HEADERS));
    if (reset) frames.push(frame(DATA, END_STREAM, id, NOTHING), frame(RST_STREAM, 0, id, code));
  }
  return Buffer.concat(frames);
}

/** chunksBytes returns everything that a client sends to send a request byte by byte on a new connection. */
export function chunksBytes({ path, request }) {
  const frames = [
    PREFACE,
    frame(SETTINGS, 0, 0, NOTHING),
    frame(HEADERS, END_HEADERS, 1, firstHeaders(path)),
  ];
  for (const byte of request) frames.push(frame(DATA, 0, 1, Buffer.from([byte])));
  return Buffer.concat(frames);
}

/** connected returns an open connection whose data and errors nobody needs. */
export async function connected(path) {
  const socket = connect(path)
    .on('error', () => {})
    .resume();
  await once(socket, 'connect');
  return socket;
}

/** closed waits until a connection is closed, also by an error. */
export async function closed(socket) {
  if (!socket.closed) await new Promise((resolve) => void socket.once('close', resolve));
}

function frame(type, flags, stream, payload) {
  const bytes = Buffer.alloc(9 + payload.length);
  bytes.writeUIntBE(payload.length, 0, 3);
  bytes.writeUInt8(type, 3);
  bytes.writeUInt8(flags, 4);
  bytes.writeUInt32BE(stream, 5);
  bytes.set(payload, 9);
  return bytes;
}

/** `:method: POST` and `:scheme: http` of HPACK’s static table. */
const POST_HTTP = [0x83, 0x86];
/** Indexes of names in the static table. */
const AUTHORITY = 1;
const PATH = 4;
const CONTENT_TYPE = 31;

/** The headers of the first stream. Each pair that is not in the static table is added to the dynamic one. */
function firstHeaders(path) {
  return Buffer.concat([
    Buffer.from(POST_HTTP),
    added(0x40 | PATH, path),
    added(0x40 | AUTHORITY, 'localhost'),
    added(0x40 | CONTENT_TYPE, 'application/grpc'),
    Buffer.concat([Buffer.from([0x40]), text('te'), text('trailers')]),
  ]);
}

/** The same headers again, as indexes of the dynamic table, which begins at 62 with the newest pair. */
const LATER_HEADERS = Buffer.from([...POST_HTTP, 0x80 | 65, 0x80 | 64, 0x80 | 63, 0x80 | 62]);

function added(index, value) {
  return Buffer.concat([Buffer.from([index]), text(value)]);
}

function text(value) {
  return Buffer.concat([Buffer.from([value.length]), Buffer.from(value, 'latin1')]);
}
