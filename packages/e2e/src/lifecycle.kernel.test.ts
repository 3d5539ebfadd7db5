import { spawnSync } from 'node:child_process';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { Client, credentials, status } from '@grpc/grpc-js';
import { service as healthService } from 'grpc-health-check';
import { DaemonProcess } from './testing/daemon-process.js';
import { errorInfoOf, failureOf, RawClient } from './testing/raw-client.js';
import { until } from './testing/until.js';

const BTFD = fileURLToPath(new URL('../../server/bin/btfd.js', import.meta.url));

needs('bpf').describe('the daemon', () => {
  const drain = async (stream: AsyncIterable<unknown>) => {
    for await (const answer of stream) void answer;
  };

  test.each(['SIGTERM', 'SIGINT'] as const)(
    'at %s ends streams with UNAVAILABLE, removes its socket and exits with 0',
    async (signal) => {
      await using daemon = await DaemonProcess.start();
      using client = new RawClient(daemon.address);
      const health = new Client(daemon.address, credentials.createInsecure());
      const method = healthService['Watch'];
      if (method === undefined) throw new Error('no method Watch');
      const { path, requestSerialize, responseDeserialize } = method;
      const statuses: string[] = [];
      const watch = health.makeServerStreamRequest(path, requestSerialize, responseDeserialize, {
        service: '',
      });
      watch.on('data', ({ status: word }: { status: string }) => statuses.push(word)).on('error', () => null);
      await new Promise((resolve) => watch.once('data', resolve));
      const spec = client.stream('spec', { source: { case: 'name', value: 'vmlinux' }, encoding: 2 });
      await new Promise((resolve) => spec.once('readable', resolve));
      const ended = failureOf(drain(spec));
      const started = performance.now();
      expect(await daemon.end(signal)).toBe(0);
      expect(performance.now() - started).toBeLessThan(9_000);
      const error = await ended;
      expect([error.code, errorInfoOf(error).reason]).toEqual([status.UNAVAILABLE, 'SHUTTING_DOWN']);
      expect(statuses).toEqual(['SERVING', 'NOT_SERVING']);
      expect(existsSync(daemon.socket)).toBe(false);
      health.close();
    },
  );

  test('creates a socket that only its owner and group can use', async () => {
    await using daemon = await DaemonProcess.start();
    expect((statSync(daemon.socket).mode & 0o777).toString(8)).toBe('660');
  });

  test('does not start on the socket of another daemon, and does not disturb that daemon', async () => {
    await using daemon = await DaemonProcess.start();
    const second = spawnSync(process.execPath, [BTFD, '--listen', daemon.address], { encoding: 'utf8' });
    expect(second.status).toBe(1);
    expect(second.stderr).toContain(`another process listens on ${daemon.socket}`);
    using client = new RawClient(daemon.address);
    expect((await client.call('getServerInfo', {})).version).not.toBe('');
  });

  test('replaces a daemon that was killed', async () => {
    await using first = await DaemonProcess.start();
    await first.end('SIGKILL');
    expect(existsSync(first.socket)).toBe(true);
    await using second = await DaemonProcess.start({ socket: first.socket });
    using client = new RawClient(second.address);
    expect((await client.call('getServerInfo', {})).version).not.toBe('');
    expect(await second.end()).toBe(0);
    expect(existsSync(first.socket)).toBe(false);
  });

  test('serves in one process only, if several start on one socket at the same time', async () => {
    await using first = await DaemonProcess.start();
    const { socket } = first;
    await first.end();
    const started = await Promise.allSettled([1, 2, 3].map(() => DaemonProcess.start({ socket })));
    const serving = started.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    expect(serving.length).toBe(1);
    for (const daemon of serving) await daemon[Symbol.asyncDispose]();
  });

  test.each([
    [['--listen', 'nonsense'], 'invalid address'],
    [['--listen', 'unix:relative'], 'is not absolute'],
    [['--listen', '127.0.0.1:0'], '--insecure'],
    [['--listen', '0.0.0.0:0', '--insecure'], 'not loopback'],
    [['--btf-dir', '/no/such/folder'], '--btf-dir'],
    [['--unknown'], 'unknown option'],
  ])('refuses %j', (args, message) => {
    const { status: code, stderr } = spawnSync(process.execPath, [BTFD, ...args], { encoding: 'utf8' });
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });

  test('listens on several addresses, including loopback TCP with --insecure', async () => {
    await using daemon = await DaemonProcess.start({ args: ['--listen', '127.0.0.1:0', '--insecure'] });
    const portLogged = () => /"127\.0\.0\.1:(\d+)"/.exec(daemon.log.text)?.[1];
    await until('the port is logged', () => portLogged() !== undefined);
    const port = portLogged();
    using client = new RawClient(`127.0.0.1:${port}`);
    expect((await client.call('getServerInfo', {})).kernelRelease).not.toBe('');
    expect(daemon.log.text).toContain('"level":"warn"');
  });

  test('does not listen on a path that is not a socket', async () => {
    await using daemon = await DaemonProcess.start();
    const file = `${daemon.socket}.file`;
    writeFileSync(file, '');
    const { status: code, stderr } = spawnSync(process.execPath, [BTFD, '--listen', `unix:${file}`], {
      encoding: 'utf8',
    });
    expect(code).toBe(1);
    expect(stderr).toContain('is not a socket');
    expect(existsSync(file)).toBe(true);
  });
});
