import { once } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { Http2Client } from '../../testing/http2-client.js';
import { ServedDaemon } from '../../testing/served-daemon.js';

/** Calls a method, and returns the status. */
async function call(served: ServedDaemon, method: string): Promise<unknown> {
  using client = new Http2Client(served.path);
  const stream = client.call(method);
  stream.end();
  const [headers] = await once(stream, 'response');
  return headers['grpc-status'];
}

describe('A call of a method that the daemon does not have', () => {
  test.each([true, false])(
    'is UNIMPLEMENTED for every known caller, with or without a role (%s)',
    async (defaults) => {
      await using served = await ServedDaemon.start(defaults);
      for (const path of ['/btf.v1.BtfService/Later', '/other.Service/Method', '/x', '/x']) {
        expect(await call(served, path)).toBe(String(status.UNIMPLEMENTED));
      }
      expect(served.quotas.calls.inUse).toBe(0);
    },
  );

  test('is counted, under one name for all methods', async () => {
    await using served = await ServedDaemon.start(true);
    for (let count = 0; count < 5; count++) await call(served, `/service${count}/Method`);
    const metrics = (await served.metrics()).split('\n');
    expect(metrics.filter((line) => line.startsWith('btfd_rpc_calls_total{'))).toEqual([
      'btfd_rpc_calls_total{service="unknown",method="unknown",code="UNIMPLEMENTED",reason=""} 5',
    ]);
  });

  test('is logged with its path and its caller', async () => {
    await using served = await ServedDaemon.start(true);
    await call(served, '/btf.v1.BtfService/Later');
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
