import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { IncomingHttpHeaders } from 'node:http2';
import { create, toBinary } from '@bufbuild/protobuf';
import { GetServerInfoRequestSchema, IterateHandlesRequestSchema } from '@btfd/api';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { pino } from 'pino';
import type { Daemon } from '../daemon.js';
import { startDaemon } from '../start-daemon.js';
import { FakeKernel } from '../testing/fake-kernel.js';
import { grpcFrame, Http2Client } from '../testing/http2-client.js';
import { TempDir } from '../testing/temp-dir.js';

const { OK, INTERNAL, UNIMPLEMENTED, INVALID_ARGUMENT } = status;

const UNARY = '/btf.v1.BtfService/GetServerInfo';
const STREAM = '/btf.v1.BtfService/IterateHandles';
const HEALTH = '/grpc.health.v1.Health/Check';

const MESSAGES = {
  [UNARY]: toBinary(GetServerInfoRequestSchema, create(GetServerInfoRequestSchema)),
  [STREAM]: toBinary(IterateHandlesRequestSchema, create(IterateHandlesRequestSchema, { hold: false })),
  [HEALTH]: new Uint8Array(),
};

const ONE = grpcFrame(new Uint8Array());
const NOTHING = Buffer.alloc(0);
const marked = (mark: number): Buffer => Buffer.concat([Buffer.from([mark]), ONE.subarray(1)]);
const zipped = grpcFrame(gzipSync(new Uint8Array()), true);

interface Answer {
  readonly http: number;
  /** The status of gRPC; null if there is none. */
  readonly grpc: number | null;
  readonly message: string;
  readonly headers: IncomingHttpHeaders;
}

/** The rows follow gRPC's PROTOCOL-HTTP2.md, compression.md and statuscodes.md. */
describe('A request gets what the specification of gRPC over HTTP/2 says', () => {
  const dir = new TempDir();
  const path = join(dir.path, 'btfd.sock');
  let daemon: Daemon;
  let client: Http2Client;

  beforeAll(async () => {
    daemon = await startDaemon({
      addresses: [{ kind: 'unix', path }],
      btfDir: null,
      kernel: new FakeKernel(),
      logger: pino({ level: 'silent' }),
    });
    client = new Http2Client(path);
  });
  afterAll(async () => {
    client[Symbol.dispose]();
    await daemon.stop();
    dir[Symbol.dispose]();
  });

  async function answerTo(method: string, headers: Record<string, string>, body: Buffer): Promise<Answer> {
    const stream = client.call(method, headers);
    let received: IncomingHttpHeaders = {};
    const note = (more: IncomingHttpHeaders): void => {
      received = { ...received, ...more };
    };
    stream.on('response', note).on('trailers', note).resume();
    stream.end(body);
    await new Promise((resolve) => stream.once('close', resolve));
    const code = received['grpc-status'];
    return {
      http: Number(received[':status']),
      grpc: code === undefined ? null : Number(code),
      message: decodeURI(String(received['grpc-message'] ?? '')),
      headers: received,
    };
  }

  describe.each([UNARY, STREAM, HEALTH] as const)('%s', (method) => {
    const message = grpcFrame(MESSAGES[method]);

    test.each<[string, Record<string, string>, Buffer, number, string]>([
      ['one message', {}, message, OK, ''],
      [
        'a charset in its content type',
        { 'content-type': 'application/grpc;charset=utf-8' },
        message,
        OK,
        '',
      ],
      ['its codec in its content type', { 'content-type': 'application/grpc+proto' }, message, OK, ''],
      ['no message', {}, NOTHING, UNIMPLEMENTED, 'takes one request message, and none arrived'],
      [
        'two messages',
        {},
        Buffer.concat([message, message]),
        UNIMPLEMENTED,
        'one request message, and more arrived',
      ],
      [
        'three messages',
        {},
        Buffer.concat([ONE, ONE, ONE]),
        UNIMPLEMENTED,
        'one request message, and more arrived',
      ],
      [
        'a part of a message',
        {},
        grpcFrame(new Uint8Array(9)).subarray(0, 7),
        INTERNAL,
        'ended within a message',
      ],
      ['a part of a length', {}, Buffer.from([0, 0, 0]), INTERNAL, 'ended within a message'],
      [
        'a part after a message',
        {},
        Buffer.concat([message, Buffer.from([0])]),
        INTERNAL,
        'ended within a message',
      ],
      ['a compressed message and its compression', { 'grpc-encoding': 'gzip' }, zipped, OK, ''],
      ['a plain message and a compression', { 'grpc-encoding': 'gzip' }, message, OK, ''],
      ['a plain message and an unknown compression', { 'grpc-encoding': 'snappy' }, message, OK, ''],
      [
        'a compressed message without a compression',
        {},
        zipped,
        INTERNAL,
        'grpc-encoding names no compression',
      ],
      [
        'a compressed message and identity',
        { 'grpc-encoding': 'identity' },
        zipped,
        INTERNAL,
        'no compression',
      ],
      [
        'a compressed message and an unknown compression',
        { 'grpc-encoding': 'snappy' },
        zipped,
        UNIMPLEMENTED,
        '"snappy"',
      ],
      [
        'a message that is not compressed as it says',
        { 'grpc-encoding': 'gzip' },
        grpcFrame(Buffer.from('abc'), true),
        INTERNAL,
        'decompress',
      ],
      ['a message with the mark 2', {}, marked(2), INTERNAL, 'begins with 2 instead of 0 or 1'],
      [
        'a message with the mark 255 and a compression',
        { 'grpc-encoding': 'gzip' },
        marked(255),
        INTERNAL,
        'begins with 255',
      ],
      ['a long deadline', { 'grpc-timeout': '2147484S' }, message, OK, ''],
      ['the longest deadline', { 'grpc-timeout': '99999999H' }, message, OK, ''],
      [
        'a deadline without a unit',
        { 'grpc-timeout': '10' },
        message,
        INVALID_ARGUMENT,
        'invalid grpc-timeout "10"',
      ],
      [
        'a deadline of nine digits',
        { 'grpc-timeout': '123456789n' },
        message,
        INVALID_ARGUMENT,
        'invalid grpc-timeout',
      ],
    ])('with %s', async (_, headers, body, code, text) => {
      const answer = await answerTo(method, headers, body);
      expect([answer.http, answer.grpc]).toEqual([200, code]);
      expect(answer.message).toContain(text);
    });

    test.each([
      ['PUT', { ':method': 'PUT' }, 405],
      ['GET', { ':method': 'GET' }, 405],
      ['DELETE', { ':method': 'DELETE' }, 405],
      ['no content type', { 'content-type': '' }, 415],
      ['application/json', { 'content-type': 'application/json' }, 415],
      ['application/grpc-web', { 'content-type': 'application/grpc-web+proto' }, 415],
      ['a codec other than proto', { 'content-type': 'application/grpc+json' }, 415],
    ])('with %s gets a status of HTTP', async (_, headers, code) => {
      expect(await answerTo(method, headers, message)).toMatchObject({ http: code, grpc: null });
    });
  });

  test('An unknown compression is refused with a list of the known ones', async () => {
    const { headers } = await answerTo(UNARY, { 'grpc-encoding': 'snappy' }, zipped);
    expect(headers['grpc-accept-encoding']).toBe('identity,deflate,gzip');
  });

  test('A wrong request has the id of its call, as every answer', async () => {
    const { headers } = await answerTo(UNARY, { 'x-request-id': 'abc' }, marked(2));
    expect(headers['x-request-id']).toBe('abc');
  });
});
