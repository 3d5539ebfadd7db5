import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import { PerformanceObserver } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { create } from '@bufbuild/protobuf';
import { GetServerInfoRequestSchema, IterateHandlesRequestSchema } from '@btfd/api';
import { afterEach, expect, jest, test } from '@jest/globals';
import { credentials, status } from '@grpc/grpc-js';
import { streamsBytes } from 'test-tools/raw-frames';
import { initCertificates } from '../certs/init-certificates.js';
import { startDaemon } from '../start-daemon.js';
import type { Limits } from '../config/limits.js';
import { TlsServer } from '../listen/tls-server.js';
import { intBtf } from '../testing/btf-bytes.js';
import { FakeKernel } from '../testing/fake-kernel.js';
import { GrpcClient, grpcErrorOf } from '../testing/grpc-harness.js';
import { logLines } from '../testing/log-lines.js';
import { TempDir } from '../testing/temp-dir.js';

const INFO = create(GetServerInfoRequestSchema);
/** Short enough to wait for, and long enough for a handshake on a busy machine. */
const HANDSHAKE_MS = 1_000;

afterEach(() => {
  jest.restoreAllMocks();
});

/** A daemon with TLS, and a client that it knows. */
async function setUp(limits: Partial<Limits> = {}, days = 1) {
  const dir = new TempDir();
  const made = await initCertificates(join(dir.path, 'certs'), { days });
  const kernel = new FakeKernel();
  kernel.add('vmlinux', intBtf());
  const { logger, lines } = logLines('warn');
  const daemon = await startDaemon({
    addresses: [{ kind: 'tcp', host: '127.0.0.1', port: 0 }],
    btfDir: null,
    kernel,
    logger,
    tls: { cert: made.serverCert, key: made.serverKey, clientCa: made.ca },
    policy: { viewers: ['uri:spiffe://btfd/client'] },
    limits,
  });
  const [address] = daemon.addresses;
  if (address?.kind !== 'tcp') throw new Error('no TCP');
  const [ca, key, cert] = [made.ca, made.clientKey, made.clientCert].map((file) => readFileSync(file));
  if (ca === undefined || key === undefined || cert === undefined) throw new Error('no certificates');
  const client = new GrpcClient(`localhost:${address.port}`, credentials.createSsl(ca, key, cert));
  return {
    client,
    kernel,
    lines,
    quotas: daemon.services.quotas,
    port: address.port,
    tls: { host: '127.0.0.1', port: address.port, ca, key, cert, ALPNProtocols: ['h2'] },
    async [Symbol.asyncDispose]() {
      client[Symbol.dispose]();
      await daemon.stop();
      dir[Symbol.dispose]();
    },
  };
}

test('A silent connection is closed, before the handshake and after it', async () => {
  await using served = await setUp({ handshakeMs: HANDSHAKE_MS });
  const before = connectTcp(served.port, '127.0.0.1').resume();
  const after = connectTls(served.tls).resume();
  await Promise.all([once(before, 'close'), once(after, 'close')]);
  expect(after.authorized).toBe(true);
});

test('Connections that never complete their handshake neither keep others out nor close complete ones', async () => {
  await using served = await setUp({ maxHandshakes: 4, maxConnections: 2 });
  await served.client.unary('getServerInfo', INFO).answer;
  const silent = Array.from({ length: 100 }, () =>
    connectTcp(served.port, '127.0.0.1')
      .on('error', () => {})
      .resume(),
  );
  while (silent.filter(({ closed }) => closed).length < 96) await setTimeout(5);
  const another = connectTls(served.tls).resume();
  await once(another, 'secureConnect');
  while (silent.filter(({ closed }) => closed).length < 97) await setTimeout(5);
  await served.client.unary('getServerInfo', INFO).answer;
  expect([another.closed, silent.filter(({ closed }) => closed).length]).toEqual([false, 97]);
  another.destroy();
  for (const socket of silent) socket.destroy();
});

test('A connection stays open between calls', async () => {
  await using served = await setUp({ handshakeMs: HANDSHAKE_MS });
  const accepted = jest.spyOn(TlsServer.prototype, 'accept');
  await served.client.unary('getServerInfo', INFO).answer;
  await setTimeout(HANDSHAKE_MS + 100);
  await served.client.unary('getServerInfo', INFO).answer;
  expect(accepted).toHaveBeenCalledTimes(1);
});

test('A certificate that expires during a connection is invalid from then on', async () => {
  await using served = await setUp();
  await served.client.unary('getServerInfo', INFO).answer;
  const tomorrow = Date.now() + 25 * 3_600_000;
  jest.spyOn(Date, 'now').mockReturnValue(tomorrow);
  const error = await grpcErrorOf(served.client.unary('getServerInfo', INFO).answer);
  expect([error.code, error.details]).toEqual([
    status.UNAUTHENTICATED,
    'the client certificate has expired since the connection was made',
  ]);
});

/** Keeps a stream open until its certificate expires. Returns false if it expired before the stream began. */
async function outliveCertificate(seconds: number): Promise<boolean> {
  await using served = await setUp({ unauthenticatedMs: 1_000 }, seconds / 86_400);
  const stream = served.client.stream('iterateHandles', create(IterateHandlesRequestSchema, { hold: true }));
  const ended = once(stream, 'error');
  const begun = await once(stream, 'data').then(
    () => true,
    () => false,
  );
  if (!begun || served.kernel.openCount !== 1 || served.quotas.connections.inUse !== 1) return false;
  expect(await ended).toEqual([
    expect.objectContaining({
      code: status.UNAUTHENTICATED,
      details: 'the client certificate has expired since the connection was made',
    }),
  ]);
  while (served.kernel.openCount > 0 || served.quotas.connections.inUse > 0) await setTimeout(5);
  expect(served.lines.map(({ msg }) => msg)).toContain('the daemon’s certificate has expired');
  return true;
}

test('A stream, and then its connection, ends when the client’s certificate expires; the daemon’s own expiry is logged', async () => {
  // A busy machine may need longer to connect.
  let seconds = 2;
  while (!(await outliveCertificate(seconds))) seconds *= 3;
});

test('A client that opens streams without end is ended before all that it sends at once are opened', async () => {
  await using served = await setUp();
  const sent = 990;
  const bytes = streamsBytes({ path: '/btf.v1.BtfService/Spec', count: sent, reset: false });
  const opened: unknown[] = [];
  const sessions = new PerformanceObserver((list) => {
    for (const entry of list.getEntriesByName('Http2Session')) opened.push(Reflect.get(entry, 'detail'));
  });
  sessions.observe({ entryTypes: ['http2'] });
  const open = async (): Promise<TLSSocket> => {
    const socket = connectTls(served.tls)
      .on('error', () => {})
      .resume();
    await once(socket, 'secureConnect');
    socket.write(bytes);
    return socket;
  };
  // It fills the queue of its principal.
  const first = await open();
  for (let count = 0; count < 2; count++) await once(await open(), 'close');
  while (opened.length < 2) await setTimeout(5);
  sessions.disconnect();
  first.destroy();
  // Node 22 opens all that one read brought: see destroyWhileReading.
  const most = process.version.startsWith('v22.') ? sent + 1 : sent / 2;
  for (const detail of opened) {
    expect(Reflect.get(Object(detail), 'streamCount')).toBeLessThan(most);
  }
});
