import { once } from 'node:events';
import { connect as connectHttp2, constants } from 'node:http2';
import { connect } from 'node:net';
import { join } from 'node:path';
import { create, toBinary } from '@bufbuild/protobuf';
import { SpecRequestSchema } from '@btfd/api';
import { describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { startDaemon } from '../daemon.js';
import { FakeKernel } from '../testing/fake-kernel.js';
import { largeBtf } from '../testing/large-btf.js';
import { TempDir } from '../testing/temp-dir.js';

describe('A client whose window for messages stays shut, and that answers pings', () => {
  test.each<[string, Record<string, string>, number]>([
    ['after the time that a reader has', {}, 500],
    ['after its deadline', { 'grpc-timeout': '500m' }, 60_000],
  ])('loses its stream %s, and nothing else', async (_, headers, slowReaderMs) => {
    using dir = new TempDir();
    const path = join(dir.path, 'btfd.sock');
    const kernel = new FakeKernel();
    kernel.add('vmlinux', largeBtf());
    const daemon = await startDaemon({
      addresses: [{ kind: 'unix', path }],
      btfDir: null,
      kernel,
      logger: pino({ level: 'silent' }),
      limits: { slowReaderMs },
    });
    const session = connectHttp2('http://localhost', {
      createConnection: () => connect(path),
      settings: { initialWindowSize: 0 },
    });
    try {
      const stream = session.request({
        ':method': 'POST',
        ':path': '/btf.v1.BtfService/Spec',
        'content-type': 'application/grpc',
        te: 'trailers',
        ...headers,
      });
      const message = toBinary(
        SpecRequestSchema,
        create(SpecRequestSchema, { source: { case: 'name', value: 'vmlinux' } }),
      );
      const frame = Buffer.alloc(5 + message.length);
      frame.writeUInt32BE(message.length, 1);
      frame.set(message, 5);
      stream.on('error', () => null).end(frame);
      await once(stream, 'close');
      expect(stream.rstCode).toBe(constants.NGHTTP2_CANCEL);
      expect(session.closed).toBe(false);
      const started = performance.now();
      await daemon.stop();
      // Nothing is left for the drain to wait for.
      expect(performance.now() - started).toBeLessThan(5_000);
    } finally {
      session.destroy();
      await daemon.stop();
    }
  });
});
