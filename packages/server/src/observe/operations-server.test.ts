import { once } from 'node:events';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { withResolvers } from '../testing/grpc-harness.js';
import { OperationsServer, type Operations } from './operations-server.js';

const LOOPBACK = { kind: 'tcp', host: '127.0.0.1', port: 0 } as const;

async function serve(operations: Partial<Operations> = {}) {
  const server = await OperationsServer.open(LOOPBACK, {
    metrics: async () => 'm 1\n',
    metricsType: 'text/plain; version=0.0.4',
    notReady: () => null,
    limits: () => null,
    ...operations,
  });
  return {
    port: server.address.port,
    server,
    [Symbol.asyncDispose]: async () => server.close(),
  };
}

interface Answer {
  readonly code: number;
  readonly body: string;
  readonly type: string | undefined;
  readonly allow: string | undefined;
}

async function ask(port: number, path: string, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asking = request({ host: '127.0.0.1', port, path, method, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => (body += text));
      response.on('end', () => {
        const { 'content-type': type, allow } = response.headers;
        resolve({ code: response.statusCode ?? 0, body, type, allow });
      });
    });
    asking.on('error', reject).end();
  });
}

/** Sends bytes, and returns everything that the server sends until it closes. */
async function exchange(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let got = '';
  socket.setEncoding('utf8').on('data', (data: string) => (got += data));
  socket.on('error', () => {});
  socket.write(text);
  await once(socket, 'close');
  return got;
}

describe('Over HTTP', () => {
  test('/metrics returns the metrics, with their content type', async () => {
    await using served = await serve();
    expect(await ask(served.port, '/metrics')).toMatchObject({
      code: 200,
      body: 'm 1\n',
      type: 'text/plain; version=0.0.4',
    });
  });

  test('the metrics are made once for all requests that come meanwhile', async () => {
    const { promise, resolve } = withResolvers();
    let made = 0;
    const metrics = async (): Promise<string> => {
      made += 1;
      await promise;
      return `m ${made}\n`;
    };
    await using served = await serve({ metrics });
    const first = ask(served.port, '/metrics');
    while (made === 0) await new Promise(setImmediate);
    const others = Array.from({ length: 20 }, async () => ask(served.port, '/metrics'));
    expect((await ask(served.port, '/healthz')).code).toBe(200);
    resolve();
    expect((await first).body).toBe('m 1\n');
    expect(new Set((await Promise.all(others)).map(({ body }) => body))).toEqual(new Set(['m 2\n']));
  });

  test('metrics that cannot be read are 500, without the reason', async () => {
    await using served = await serve({ metrics: () => Promise.reject(new Error('secret')) });
    const { code, body } = await ask(served.port, '/metrics');
    expect([code, body]).toEqual([500, expect.not.stringContaining('secret')]);
  });

  test('/healthz is 200 whether ready or not, and /readyz says why it is not', async () => {
    let reason: string | null = 'the daemon is starting';
    let limits: string | null = null;
    await using served = await serve({ notReady: () => reason, limits: () => limits });
    const codes = async () => Promise.all(['/healthz', '/readyz'].map((path) => ask(served.port, path)));
    expect(await codes()).toMatchObject([
      { code: 200 },
      { code: 503, body: 'not ready: the daemon is starting\n' },
    ]);
    reason = null;
    expect(await codes()).toMatchObject([{ code: 200 }, { code: 200, body: 'ready\n' }]);
    limits = 'not by name: the kernel has no BTF';
    expect(await codes()).toMatchObject([{ code: 200 }, { code: 200, body: `ready, but ${limits}\n` }]);
  });

  test.each(['/', '/metrics/', '/metricsx', '//metrics', '/../metrics', '/debug/pprof'])(
    '%s is 404',
    async (path) => {
      await using served = await serve();
      expect((await ask(served.port, path)).code).toBe(404);
    },
  );

  test('a query changes nothing', async () => {
    await using served = await serve();
    expect((await ask(served.port, '/readyz?verbose')).code).toBe(200);
  });

  test.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])('%s is refused', async (method) => {
    await using served = await serve();
    expect(await ask(served.port, '/metrics', method)).toMatchObject({ code: 405, allow: 'GET, HEAD' });
  });

  test('HEAD has no body', async () => {
    await using served = await serve();
    expect(await ask(served.port, '/metrics', 'HEAD')).toMatchObject({ code: 200, body: '' });
  });

  test('headers beyond 8 KiB are refused', async () => {
    await using served = await serve();
    const got = await exchange(
      served.port,
      `GET /metrics HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(9000)}\r\n\r\n`,
    );
    expect(got).toMatch(/^HTTP\/1\.1 431 /);
  });

  test('anything but HTTP is refused', async () => {
    await using served = await serve();
    expect(await exchange(served.port, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')).toMatch(/^HTTP\/1\.1 4\d\d /);
  });

  test('of 40 idle connections the newest 32 are kept, and a probe is still served', async () => {
    await using served = await serve();
    const sockets: Socket[] = [];
    for (let count = 0; count < 40; count++) {
      const socket = connect(served.port, '127.0.0.1').on('error', () => {});
      await once(socket.resume(), 'connect');
      sockets.push(socket);
    }
    const closed = (): number[] => sockets.flatMap((socket, index) => (socket.closed ? [index] : []));
    while (closed().length < 8) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(closed()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect((await ask(served.port, '/healthz')).code).toBe(200);
    for (const socket of sockets) socket.destroy();
  });

  test('closing also closes idle connections', async () => {
    const served = await serve();
    const socket = connect(served.port, '127.0.0.1');
    socket.resume();
    await once(socket, 'connect');
    const closed = once(socket, 'close');
    await served.server.close();
    await closed;
    await expect(ask(served.port, '/healthz')).rejects.toThrow();
  });
});

test('An address in use is an error', async () => {
  await using served = await serve();
  await expect(
    OperationsServer.open(
      { ...LOOPBACK, port: served.port },
      {
        metrics: async () => '',
        metricsType: '',
        notReady: () => null,
        limits: () => null,
      },
    ),
  ).rejects.toThrow('EADDRINUSE');
});
