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
const BTF = '/btf.v1.BtfService';
const REFLECTION = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo';
/** A ServerReflectionRequest whose list_services is `*`. */
const LIST_SERVICES = Uint8Array.of((7 << 3) | 2, 1, '*'.charCodeAt(0));
const SOON = { 'grpc-timeout': '1S' };

describe('A client that leaves its flow-control window closed, but replies to pings', () => {
  test.each<[string, string, Uint8Array, Record<string, string>, number]>([
    ['a long stream after the slow-reader timeout', `${BTF}/Spec`, SPEC, {}, 500],
    ['a long stream after its deadline', `${BTF}/Spec`, SPEC, { 'grpc-timeout': '3S' }, 60_000],
    ['a stream that has ended', `${BTF}/IterateHandles`, NOTHING, {}, 500],
    ['a stream that has ended, at its deadline', `${BTF}/IterateHandles`, NOTHING, SOON, 60_000],
    ['the response of a unary call', `${BTF}/GetServerInfo`, NOTHING, {}, 500],
    ['the response of a unary call at its deadline', `${BTF}/GetServerInfo`, NOTHING, SOON, 60_000],
    ['a watch of health after its deadline', '/grpc.health.v1.Health/Watch', NOTHING, SOON, 60_000],
    ['a response of health at its deadline', '/grpc.health.v1.Health/Check', NOTHING, SOON, 60_000],
    ['a stream of reflection after its deadline', REFLECTION, LIST_SERVICES, SOON, 60_000],
  ])('loses %s, and nothing more', async (_, path, message, headers, slowReaderMs) => {
    using dir = new TempDir();
    const socket = join(dir.path, 'btfd.sock');
    const kernel = new FakeKernel();
    kernel.add('vmlinux', largeBtf());
    const daemon = await startDaemon({
      addresses: [{ kind: 'unix', path: socket }],
      btfDir: null,
      kernel,
      logger: pino({ level: 'silent' }),
      limits: { slowReaderMs },
    });
    try {
      using client = new Http2Client(socket, { initialWindowSize: 0 });
      const stream = client.call(path, headers);
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
