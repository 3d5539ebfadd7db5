import { once } from 'node:events';
import { constants } from 'node:http2';
import { join } from 'node:path';
import { create, toBinary } from '@bufbuild/protobuf';
import { SpecRequestSchema } from '@btfd/api';
import { describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { startDaemon } from '../start-daemon.js';
import { FakeKernel } from '../testing/fake-kernel.js';
import { grpcFrame, Http2Client } from '../testing/http2-client.js';
import { largeBtf } from '../testing/btf-bytes.js';
import { TempDir } from '../testing/temp-dir.js';

const SPEC = toBinary(
  SpecRequestSchema,
  create(SpecRequestSchema, { source: { case: 'name', value: 'vmlinux' } }),
);
const NOTHING = new Uint8Array();

describe('A client that leaves its flow-control window closed, but replies to pings', () => {
  test.each<[string, string, Uint8Array, Record<string, string>, number]>([
    ['a long stream after the slow-reader timeout', 'Spec', SPEC, {}, 500],
    ['a long stream after its deadline', 'Spec', SPEC, { 'grpc-timeout': '3S' }, 60_000],
    ['a stream that has ended', 'IterateHandles', NOTHING, {}, 500],
    ['the response of a unary call', 'GetServerInfo', NOTHING, {}, 500],
  ])('loses %s, and nothing more', async (_, method, message, headers, slowReaderMs) => {
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
    try {
      using client = new Http2Client(path, { initialWindowSize: 0 });
      const stream = client.call(`/btf.v1.BtfService/${method}`, headers);
      stream.end(grpcFrame(message));
      await once(stream, 'close');
      expect(stream.rstCode).toBe(constants.NGHTTP2_CANCEL);
      expect(client.session.closed).toBe(false);
      const started = performance.now();
      await daemon.stop();
      // The drain has nothing to wait for.
      expect(performance.now() - started).toBeLessThan(5_000);
    } finally {
      await daemon.stop();
    }
  });
});
