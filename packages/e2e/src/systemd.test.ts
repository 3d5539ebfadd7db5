import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from '@jest/globals';
import { requestFd } from '@btfd/native';
import { needs } from 'test-tools';
import { DaemonProcess } from './testing/daemon-process.js';
import { NotifySocket } from './testing/notify-socket.js';
import { RawClient } from './testing/raw-client.js';
import { until } from './testing/until.js';

const BTFD = fileURLToPath(new URL('../../server/bin/btfd.js', import.meta.url));
const PASS_SOCKETS = fileURLToPath(new URL('testing/pass-sockets.py', import.meta.url));

const dir = mkdtempSync(join(tmpdir(), 'btfd-systemd-'));
afterAll(() => rmSync(dir, { recursive: true }));
/** Makes the daemon serve files, which needs no privilege. */
const FILES = ['--btf-dir', dir];

async function answers(address: string): Promise<boolean> {
  using client = new RawClient(address);
  return (await client.call('getServerInfo', {})).version !== '';
}

/** Returns a command that passes sockets to the daemon as systemd does. */
const passing = (...specs: readonly string[]) => ['python3', PASS_SOCKETS, ...specs, '--'];

describe('The service manager', () => {
  test.each([
    ['a path', join(dir, 'notify.sock')],
    ['an abstract name', `@btfd-e2e-${process.pid}`],
  ])('learns at %s when the daemon is ready, reloads, is ready again and stops', async (_, address) => {
    using notify = await NotifySocket.open(address);
    await using daemon = await DaemonProcess.start({ args: FILES, env: { NOTIFY_SOCKET: address } });
    await until('it is ready', () => notify.states().length === 1);
    expect(notify.received).toEqual([['READY=1', `STATUS=serving on unix:${daemon.socket}`]]);

    daemon.signal('SIGHUP');
    await until('it is ready again', () => notify.states().length === 3);
    expect(notify.states()).toEqual(['READY=1', 'RELOADING=1', 'READY=1']);
    const [, reloading = []] = notify.received;
    const time = reloading.find((each) => each.startsWith('MONOTONIC_USEC='))?.split('=')[1];
    // /proc/uptime reads the same clock, if the machine was not suspended.
    const uptime = Number(readFileSync('/proc/uptime', 'latin1').split(' ')[0]);
    expect(Math.abs(Number(time) / 1e6 - uptime)).toBeLessThan(60);

    expect(await daemon.end()).toBe(0);
    await until('it stops', () => notify.states().length === 4);
    expect(notify.states().at(-1)).toBe('STOPPING=1');
  });

  test('hears from the daemon as often as its watchdog asks', async () => {
    using notify = await NotifySocket.open(join(dir, 'watchdog.sock'));
    const env = { NOTIFY_SOCKET: notify.address, WATCHDOG_USEC: '200000' };
    await using daemon = await DaemonProcess.start({ args: FILES, env });
    await until('three beats', () => notify.received.filter(([each]) => each === 'WATCHDOG=1').length >= 3);
    expect(await daemon.end()).toBe(0);
  });

  test('may be gone, and the daemon serves nevertheless', async () => {
    const env = { NOTIFY_SOCKET: join(dir, 'nobody.sock') };
    await using daemon = await DaemonProcess.start({ args: FILES, env });
    await until('it is logged', () => daemon.log.text.includes('cannot notify the service manager'));
    expect(await answers(daemon.address)).toBe(true);
    expect(await daemon.end()).toBe(0);
  });
});

describe('Passed sockets', () => {
  test('are served, both unix and TCP, together with those of --listen, but not removed at the end', async () => {
    const path = join(dir, 'passed.sock');
    await using daemon = await DaemonProcess.start({
      wrapper: passing(`unix:${path}`, 'tcp:127.0.0.1', 'tcp:::1'),
      args: [...FILES, '--insecure'],
    });
    const tcp = [...daemon.log.text.matchAll(/"((?:127\.0\.0\.1|\[::1\]):\d+)"/g)].map(
      ([, each]) => each ?? '',
    );
    expect(new Set(tcp).size).toBe(2);
    for (const address of [`unix:${path}`, ...tcp, daemon.address]) expect(await answers(address)).toBe(true);
    expect(await daemon.end()).toBe(0);
    expect([existsSync(path), existsSync(daemon.socket)]).toEqual([true, false]);
  });

  test('replace the default address', async () => {
    const path = join(dir, 'alone.sock');
    await using daemon = await DaemonProcess.start({
      wrapper: passing(`unix:${path}`),
      listen: false,
      args: FILES,
    });
    expect(daemon.log.text.match(/"unix:[^"]*"/g)).toEqual([`"unix:${path}"`]);
    expect(await answers(`unix:${path}`)).toBe(true);
  });

  test('are ignored if they are for another process', async () => {
    const path = join(dir, 'other.sock');
    await using daemon = await DaemonProcess.start({
      wrapper: passing(`unix:${path}`),
      args: FILES,
      env: { OTHER_PID: '1' },
    });
    expect(await answers(daemon.address)).toBe(true);
    expect(daemon.log.text).not.toContain(path);
  });

  const file = join(dir, 'file');
  writeFileSync(file, '');
  test.each([
    [`file:${file}`, 'the passed socket 3 (file) is not a socket: getsockopt of fd 3: ENOTSOCK'],
    [`dgram:${dir}/dgram.sock`, 'the passed socket 3 (dgram) does not accept streams'],
    [`bound:${dir}/bound.sock`, 'the passed socket 3 (bound) does not accept streams'],
    [`abstract:btfd-e2e-${process.pid}`, 'the passed socket 3 (abstract) has no path'],
    ['tcp:127.0.0.1', 'has no TLS: any local user could connect; allow it with --insecure'],
  ])('stop the start if they are unusable or unsafe: %s', async (spec, message) => {
    const started = DaemonProcess.start({ wrapper: passing(spec), listen: false, args: FILES });
    await expect(started).rejects.toThrow(message);
  });

  test('can be for requests of file descriptors, by its name', async () => {
    const [main, fds] = ['main.sock', 'fd.sock'].map((name) => join(dir, name));
    const wrapper = passing(`unix:${main}`, `fd:${fds}`);
    await using daemon = await DaemonProcess.start({ listen: false, wrapper, args: FILES });
    expect(await answers(`unix:${main}`)).toBe(true);
    expect((await requestFd(fds ?? '', 'x\n')).text).toMatch(/^error HANDLE_NOT_FOUND /);
    expect(await daemon.end()).toBe(0);
    expect(existsSync(fds ?? '')).toBe(true);
  });

  needs('systemd').test(
    'can come from systemd-socket-activate, which starts the daemon at the first connection',
    async () => {
      const path = join(dir, 'activate.sock');
      const command = [process.execPath, BTFD, ...FILES];
      const child = spawn('systemd-socket-activate', ['--listen', path, ...command], { stdio: 'ignore' });
      try {
        await until('it listens', () => existsSync(path));
        const first = connect(path).on('error', () => {});
        await once(first, 'connect');
        expect(await answers(`unix:${path}`)).toBe(true);
        first.destroy();
      } finally {
        const exited = once(child, 'exit');
        child.kill('SIGTERM');
        await exited;
      }
      expect(child.exitCode).toBe(0);
    },
  );
});
