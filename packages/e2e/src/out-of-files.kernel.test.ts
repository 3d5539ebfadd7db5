import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect } from '@jest/globals';
import { BtfClient } from '@btfd/client';
import { needs } from 'test-tools';
import { DaemonProcess } from './testing/daemon-process.js';
import { errorInfoOf, failureOf, RawClient } from './testing/raw-client.js';
import { until } from './testing/until.js';

const LINE = 'cannot accept connections: raise the limit of open files if it is EMFILE';
/** Enough for a start: Node opens many modules of the program at the same time. */
const FILES = 400;

needs('bpf', 'root').test(
  'A daemon without file descriptors says so, lives on and serves again',
  async () => {
    await using daemon = await DaemonProcess.start({
      wrapper: ['prlimit', `--nofile=${FILES}:${FILES}`],
      // A principal may have a quarter.
      args: ['--max-connections', String(8 * FILES)],
    });
    const idle = daemon.fds().length;
    const sockets: Socket[] = [];
    let closed = 0;
    const open = async (): Promise<void> => {
      const socket = connect(daemon.socket).on('error', () => {});
      sockets.push(socket.on('close', () => (closed += 1)).resume());
      await once(socket, 'connect');
    };
    try {
      // libuv accepts connections for which there are no file descriptors, and closes them.
      for (let count = 0; count < FILES + 20; count += 1) await open();
      await until('no file can be opened', () => daemon.fds().length >= FILES);
      await until('the log says so', () => daemon.log.text.includes(LINE));
      // After 10 s without a request, and after a look at the daemon's memory, for which it opens a file.
      await until('the connections are closed', () => closed >= FILES);
    } finally {
      for (const socket of sockets) socket.destroy();
    }
    await until('the connections end', () => daemon.fds().length <= idle + 1);
    using client = new RawClient(daemon.address);
    expect((await client.call('getServerInfo', {})).version).not.toBe('');
    expect(daemon.log.text.split(LINE).length - 1).toBe(1);
    expect(await daemon.end()).toBe(0);
  },
);

/** Those that are free while a worker starts. It opens up to 84 at a time, one by one and in bursts. */
const FREE = [0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 14, 16, 24, 32, 48, 64, 80, 100, 128];

needs('bpf', 'root').test(
  'A job whose worker cannot start for lack of files says so, and the next one has a worker',
  async () => {
    await using daemon = await DaemonProcess.start();
    using client = new RawClient(daemon.address);
    const source = { case: 'name', value: 'vmlinux' } as const;
    const resolve = async (): Promise<unknown> =>
      client.call('resolveMembers', { source, paths: ['task_struct.pid'] });
    expect((await client.call('getServerInfo', {})).version).not.toBe('');
    const idle = daemon.fds().length;
    const reasons: string[] = [];
    for (const free of FREE) {
      allowFiles(daemon, idle + free);
      const failed = await failureOf(resolve()).then(errorInfoOf, () => null);
      if (failed === null) break;
      reasons.push(failed.reason);
    }
    // Also if Node reports a missing package, because it cannot open its package.json.
    expect(new Set(reasons)).toEqual(new Set(['OUT_OF_FILES']));
    expect(reasons.length).toBeLessThan(FREE.length);
    await resolve();
    expect(daemon.log.text).not.toContain('a worker was terminated');
    expect(await daemon.end()).toBe(0);
  },
);

needs('bpf', 'root').test('A client has its answer when there are files for a worker again', async () => {
  await using daemon = await DaemonProcess.start();
  await using client = new BtfClient(daemon.address);
  await client.serverInfo();
  const idle = daemon.fds().length;
  allowFiles(daemon, idle);
  const resolving = client.resolveMembers('vmlinux', ['task_struct.pid']);
  await until('the daemon has refused', () => daemon.log.text.includes('"reason":"OUT_OF_FILES"'));
  allowFiles(daemon, idle + 200);
  expect(await resolving).toHaveLength(1);
  expect(await daemon.end()).toBe(0);
});

/** Changes how many files a daemon may open. Not from its start: Node opens many at once while it loads a program. */
function allowFiles(daemon: DaemonProcess, files: number): void {
  execFileSync('prlimit', ['--pid', String(daemon.pid), `--nofile=${files}:`]);
}
