import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { startDaemon } from '../../daemon.js';
import { FakeKernel } from '../../testing/fake-kernel.js';
import { Http2Client } from '../../testing/http2-client.js';
import { logLines } from '../../testing/log-lines.js';
import { TempDir } from '../../testing/temp-dir.js';

/** A daemon with metrics. With `defaults` the caller has a role. */
async function setUp(defaults: boolean) {
  const dir = new TempDir();
  const path = join(dir.path, 'btfd.sock');
  const { logger, lines } = logLines('info');
  const daemon = await startDaemon({
    addresses: [{ kind: 'unix', path }],
    btfDir: null,
    kernel: new FakeKernel(),
    logger,
    metricsAddress: { kind: 'tcp', host: '127.0.0.1', port: 0 },
    policy: { file: dir.write('policy.yaml', `defaults: ${defaults}\n`) },
  });
  const http2 = new Http2Client(path);
  return {
    lines,
    quotas: daemon.services.quotas,
    async call(method: string): Promise<unknown> {
      const call = http2.call(method);
      call.end();
      return new Promise((resolve) => call.once('response', (headers) => resolve(headers['grpc-status'])));
    },
    async callsCounted(): Promise<string[]> {
      const answer = await fetch(`http://127.0.0.1:${daemon.metricsAddress?.port}/metrics`);
      return (await answer.text()).split('\n').filter((line) => line.startsWith('btfd_rpc_calls_total{'));
    },
    async [Symbol.asyncDispose]() {
      http2[Symbol.dispose]();
      await daemon.stop();
      dir[Symbol.dispose]();
    },
  };
}

describe('A call of a method that the daemon does not have', () => {
  test.each([true, false])(
    'is UNIMPLEMENTED for every known caller, with or without a role (%s)',
    async (defaults) => {
      await using served = await setUp(defaults);
      for (const path of ['/btf.v1.BtfService/Later', '/other.Service/Method', '/x', '/x']) {
        expect(await served.call(path)).toBe(String(status.UNIMPLEMENTED));
      }
      expect(served.quotas.calls.inUse).toBe(0);
    },
  );

  test('is counted, under one name for all methods', async () => {
    await using served = await setUp(true);
    for (let count = 0; count < 5; count++) await served.call(`/service${count}/Method`);
    expect(await served.callsCounted()).toEqual([
      'btfd_rpc_calls_total{service="unknown",method="unknown",code="UNIMPLEMENTED",reason=""} 5',
    ]);
  });

  test('is logged with its path and its caller', async () => {
    await using served = await setUp(true);
    await served.call('/btf.v1.BtfService/Later');
    expect(served.lines.filter(({ msg }) => msg === 'call')).toMatchObject([
      {
        principal: `uid:${process.geteuid?.()}`,
        service: 'unknown',
        method: 'unknown',
        path: '/btf.v1.BtfService/Later',
        code: 'UNIMPLEMENTED',
      },
    ]);
  });
});
