import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { create } from '@bufbuild/protobuf';
import { CheckObjectRequestSchema } from '@btfd/api';
import { expect, test } from '@jest/globals';
import { intBtf } from '../testing/btf-bytes.js';
import { FakeKernel } from '../testing/fake-kernel.js';
import { GrpcClient } from '../testing/grpc-harness.js';
import { ServedDaemon } from '../testing/served-daemon.js';

const FILE = new URL('../../../btf/src/object/testdata/variables.bpf.o', import.meta.url);

test('Checks of objects are logged with the object and the verdict, and counted by verdict', async () => {
  const kernel = new FakeKernel();
  kernel.add('vmlinux', intBtf());
  await using daemon = await ServedDaemon.start(true, { kernel });
  using client = new GrpcClient(`unix:${daemon.path}`);
  const object = new Uint8Array(readFileSync(FILE));
  for (const bytes of [object, object, object.subarray(0, 64)]) {
    const request = create(CheckObjectRequestSchema, { object: bytes });
    const stream = client
      .stream('checkObject', request)
      .on('error', () => {})
      .resume();
    await new Promise((resolve) => stream.once('status', resolve));
  }
  const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
  const calls = daemon.lines.filter(({ method }) => method === 'CheckObject');
  expect(calls).toMatchObject([
    { code: 'OK', object: sha256(object), verdict: 'UNKNOWN' },
    { code: 'OK', object: sha256(object), verdict: 'UNKNOWN' },
    { code: 'INVALID_ARGUMENT', object: sha256(object.subarray(0, 64)), reason: 'OBJECT_UNREADABLE' },
  ]);
  expect(calls[2]).not.toHaveProperty('verdict');
  const metrics = await daemon.metrics();
  expect(metrics).toContain('btfd_object_checks_total{verdict="UNKNOWN"} 2\n');
  expect(metrics).toContain('btfd_object_bytes 0\n');
});
