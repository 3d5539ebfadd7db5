import { once } from 'node:events';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { status } from '@grpc/grpc-js';
import { expect, test } from '@jest/globals';
import { pino } from 'pino';
import { startDaemon } from '../../start-daemon.js';
import { FakeKernel } from '../../testing/fake-kernel.js';
import { grpcFrame, Http2Client } from '../../testing/http2-client.js';
import { TempDir } from '../../testing/temp-dir.js';

const MIB = 1024 * 1024;
const packed = grpcFrame(gzipSync(new Uint8Array(MIB)), true);
/** The beginning of a message of a MiB. */
const announced = grpcFrame(new Uint8Array(MIB)).subarray(0, 6);

test.each([
  ['that decompresses to more than its method accepts', '/grpc.health.v1.Health/Check', packed],
  ['that announces more than its method accepts', '/grpc.health.v1.Health/Check', announced],
  ['that announces more than its method accepts', '/btf.v1.BtfService/GetServerInfo', announced],
])('A message %s is refused before it is kept (%s)', async (_, method, bytes) => {
  using dir = new TempDir();
  const path = join(dir.path, 'btfd.sock');
  const daemon = await startDaemon({
    addresses: [{ kind: 'unix', path }],
    btfDir: null,
    kernel: new FakeKernel(),
    logger: pino({ level: 'silent' }),
  });
  try {
    using client = new Http2Client(path);
    const stream = client.call(method, { 'grpc-encoding': 'gzip' });
    // The request has no end. Until the end grpc-js keeps the received bytes.
    stream.write(bytes);
    const [headers] = await once(stream, 'response');
    expect(headers['grpc-status']).toBe(String(status.RESOURCE_EXHAUSTED));
    stream.close();
  } finally {
    await daemon.stop();
  }
});
