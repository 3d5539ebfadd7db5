import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { status, type ChannelCredentials } from '@grpc/grpc-js';
import { BtfClient } from '@btfd/client';
import { Authority } from '@btfd/server/certs';
import { DaemonProcess } from './testing/daemon-process.js';
import { errorInfoOf, failureOf, RawClient } from './testing/raw-client.js';
import { intBtf } from './testing/sample-btf.js';
import { hours, TestCertificates } from './testing/test-certificates.js';
import { until } from './testing/until.js';

const BTFD = fileURLToPath(new URL('../../server/bin/btfd.js', import.meta.url));
const VIEWER = 'spiffe://test/viewer';
const LOADER = 'spiffe://test/loader';

needs('bpf').describe('TLS', () => {
  let certificates: TestCertificates;
  let daemon: DaemonProcess;
  let port: number;
  let policy: string;

  beforeAll(async () => {
    certificates = await TestCertificates.make();
    policy = join(certificates.dir, 'policy.yaml');
    writeFileSync(policy, `viewers: ["uri:${VIEWER}", "dns:viewer.test"]\nloaders: ["uri:${LOADER}"]\n`);
    daemon = await DaemonProcess.start({ args: [...certificates.args, '--policy', policy] });
    await until('the port is logged', () => daemon.tcpPort() !== null);
    port = daemon.tcpPort() ?? 0;
  });
  afterAll(async () => {
    await daemon[Symbol.asyncDispose]();
    certificates[Symbol.dispose]();
  });

  /** Calls GetServerInfo with these credentials, and returns its error or null. */
  async function refusal(credentials: ChannelCredentials): Promise<[number, string, string] | null> {
    using client = new RawClient(`localhost:${port}`, credentials);
    try {
      await client.call('getServerInfo', {}, { deadline: Date.now() + 10_000 });
      return null;
    } catch (error) {
      const failure = await failureOf(Promise.reject(error));
      return [failure.code, errorInfoOf(failure).reason, failure.details];
    }
  }

  const UNAUTHENTICATED = [status.UNAUTHENTICATED, 'UNAUTHENTICATED'];

  test('a certificate with a role is accepted, by URI and by DNS name', async () => {
    expect(await refusal(await certificates.client([VIEWER]))).toBeNull();
    expect(await refusal(await certificates.client(['VIEWER.test']))).toBeNull();
  });

  test('a certificate of another authority is not trusted', async () => {
    const other = await Authority.make('other', { notBefore: hours(-1), notAfter: hours(1) });
    const pair = await other.issue({
      commonName: 'client',
      names: [VIEWER],
      purpose: 'client',
      notBefore: hours(-1),
      notAfter: hours(1),
    });
    const why = 'the client certificate is not signed by a trusted authority';
    expect(await refusal(certificates.credentialsOf(pair))).toEqual([...UNAUTHENTICATED, why]);
  });

  test.each([
    ['that has expired', { notBefore: hours(-2), notAfter: hours(-1) }, 'the client certificate has expired'],
    [
      'that is not valid yet',
      { notBefore: hours(1), notAfter: hours(2) },
      'the client certificate is not valid yet',
    ],
    ['of a server', { purpose: 'server' as const }, 'the client certificate is not for clients'],
    [
      'that names nobody',
      { names: [] },
      'the client certificate names nobody: it has no URI and no DNS name',
    ],
  ])('a certificate %s is rejected', async (_, choices, why) => {
    expect(await refusal(await certificates.client([VIEWER], choices))).toEqual([...UNAUTHENTICATED, why]);
  });

  test('a client without a certificate is rejected', async () => {
    const why = 'the client sent no certificate';
    expect(await refusal(certificates.withoutCertificate())).toEqual([...UNAUTHENTICATED, why]);
  });

  test('a certificate that is not in the policy has no role, and the common name does not count', async () => {
    expect(await refusal(await certificates.client(['spiffe://test/other'], { commonName: VIEWER }))).toEqual(
      [
        status.PERMISSION_DENIED,
        'ROLE_FORBIDS',
        'uri:spiffe://test/other has no role; GetServerInfo needs viewer',
      ],
    );
  });

  test('a role allows its own operations only', async () => {
    const load = { source: { case: 'rawBtf', value: intBtf(1, 'tls') } } as const;
    using viewer = new RawClient(`localhost:${port}`, await certificates.client([VIEWER]));
    const error = await failureOf(viewer.call('loadHandle', load));
    expect([error.code, errorInfoOf(error)]).toMatchObject([
      status.PERMISSION_DENIED,
      {
        reason: 'ROLE_FORBIDS',
        metadata: { principal: `uri:${VIEWER}`, role: 'viewer', needed_role: 'loader' },
      },
    ]);
    using loader = new RawClient(`localhost:${port}`, await certificates.client([LOADER]));
    const { result } = await loader.call('loadHandle', load);
    if (result.case !== 'handle') throw new Error('it was not loaded');
    await loader.call('closeHandles', { tokens: [result.value.token] });
  });

  test('@btfd/client works with a certificate', async () => {
    const client = new BtfClient(`localhost:${port}`, { credentials: await certificates.client([VIEWER]) });
    try {
      const handle = await client.findHandle(({ name }) => name === 'vmlinux');
      expect(handle.info.name).toBe('vmlinux');
      await handle.close();
    } finally {
      await client.close();
    }
  });

  test('TLS 1.1 is rejected, and TLS 1.2 is accepted', async () => {
    const ca = readFileSync(certificates.files.ca);
    const handshake = async (options: ConnectionOptions): Promise<string | null> => {
      const socket = connectTls({ host: '127.0.0.1', port, ca, ALPNProtocols: ['h2'], ...options });
      try {
        await once(socket, 'secureConnect');
        return socket.getProtocol();
      } catch (error) {
        return String(error);
      } finally {
        socket.destroy();
      }
    };
    expect(await handshake({ maxVersion: 'TLSv1.2' })).toBe('TLSv1.2');
    expect(await handshake({})).toBe('TLSv1.3');
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL@SECLEVEL=0' } as const;
    expect(await handshake(old)).toMatch(/protocol version/);
  });

  test('a connection that is silent or fails the handshake is closed', async () => {
    const ca = readFileSync(certificates.files.ca);
    const silent = connectTcp(port, '127.0.0.1');
    const unknown = connectTls({ host: '127.0.0.1', port, ca, ALPNProtocols: ['h2'] });
    const noise = connectTcp(port, '127.0.0.1').on('error', () => {});
    noise.write('GET / HTTP/1.1\r\n\r\n');
    const started = performance.now();
    const seconds = async (socket: typeof silent): Promise<number> => {
      socket.resume();
      await once(socket, 'close');
      return (performance.now() - started) / 1000;
    };
    const closed = await Promise.all([noise, unknown, silent].map(seconds));
    // Closed at once, after unauthenticatedMs, and after handshakeMs.
    const bounds = [2, 8, 14];
    expect(closed.map((after, index) => after < (bounds[index] ?? 0))).toEqual([true, true, true]);
  });

  test('a changed certificate takes effect, connections stay open, and an invalid one changes nothing', async () => {
    const ca = readFileSync(certificates.files.ca);
    const served = async (): Promise<string> => {
      const socket = connectTls({ host: '127.0.0.1', port, ca, ALPNProtocols: ['h2'] });
      await once(socket, 'secureConnect');
      const { subject } = socket.getPeerCertificate();
      socket.destroy();
      return String(subject.CN);
    };
    using before = new RawClient(`localhost:${port}`, await certificates.client([VIEWER]));
    const { daemonEpoch } = await before.call('getServerInfo', {});
    const stream = before.stream('iterateHandles', { hold: true });
    stream.on('error', () => {});
    await once(stream, 'data');
    certificates.writeServer(await certificates.issueServer({ commonName: 'second' }));
    await until('the second certificate is served', async () => (await served()) === 'second');
    // The key of another certificate.
    const logged = daemon.log.text.length;
    certificates.write(certificates.files.key, (await certificates.issueServer()).key);
    await until('the bad key is logged', () =>
      daemon.log.text.slice(logged).includes('cannot reload the keys and certificates'),
    );
    expect(daemon.log.text.slice(logged)).toContain(`cannot use the key ${certificates.files.key}`);
    expect(await served()).toBe('second');
    expect(await refusal(await certificates.client([VIEWER]))).toBeNull();
    expect((await before.call('getServerInfo', {})).daemonEpoch).toBe(daemonEpoch);
    expect(stream.destroyed).toBe(false);
    stream.cancel();
    certificates.writeServer(await certificates.issueServer({ commonName: 'third' }));
    await until('the third certificate is served', async () => (await served()) === 'third');
  });

  test('a caller removed from the policy loses open streams, and an invalid policy changes nothing', async () => {
    using client = new RawClient(`localhost:${port}`, await certificates.client([VIEWER]));
    using other = new RawClient(`localhost:${port}`, await certificates.client([LOADER]));
    const hold = (each: RawClient) => each.stream('iterateHandles', { hold: true, nameGlobs: ['vmlinux'] });
    const [stream, otherStream] = [hold(client), hold(other)];
    const ended = once(stream, 'error');
    otherStream.on('error', () => {});
    await Promise.all([once(stream, 'data'), once(otherStream, 'data')]);
    expect(daemon.btfFds()).toBeGreaterThan(1);
    const logged = daemon.log.text.length;
    certificates.write(policy, 'viewers: ["uri:x:y"]\nloders: []\n');
    await until('the bad policy is logged', () =>
      daemon.log.text.slice(logged).includes('cannot reload the policy'),
    );
    expect(daemon.log.text.slice(logged)).toContain(
      `${policy}:2: unknown key \\"loders\\"; did you mean loaders?`,
    );
    expect((await client.call('getServerInfo', {})).version).not.toBe('');
    certificates.write(policy, `loaders: ["uri:${LOADER}"]\n`);
    const [error]: Awaited<ReturnType<typeof failureOf>>[] = await ended;
    if (error === undefined) throw new Error('no error');
    expect([error.code, errorInfoOf(error).reason]).toEqual([status.PERMISSION_DENIED, 'ROLE_FORBIDS']);
    const refused = await failureOf(client.call('getServerInfo', {}));
    expect(errorInfoOf(refused).reason).toBe('ROLE_FORBIDS');
    expect((await other.call('getServerInfo', {})).version).not.toBe('');
    otherStream.cancel();
    await until('all is closed', () => daemon.btfFds() === 0);
  });

  test.each([
    [['--tls-cert', 'x'], 'must be given together'],
    [['--listen', '0.0.0.0:0', '--insecure'], 'not loopback'],
    [['--listen', '127.0.0.1:0'], 'has no TLS'],
  ])('the daemon does not start with %j', (args, message) => {
    const { status: code, stderr } = spawnSync(process.execPath, [BTFD, ...args], { encoding: 'utf8' });
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  });
});
