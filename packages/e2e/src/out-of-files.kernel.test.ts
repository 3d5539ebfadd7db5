import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect } from '@jest/globals';
import { needs } from 'test-tools';
import { DaemonProcess } from './testing/daemon-process.js';
import { RawClient } from './testing/raw-client.js';
import { until } from './testing/until.js';

const LINE = 'cannot accept connections: raise the limit of open files if it is EMFILE';
/** How many file descriptors the daemon may open after its start. */
const FREE = 20;

/** The limit is set after the start, because Node opens most modules of the program at the same time. */
needs('bpf', 'root').test('A daemon without file descriptors lives on and serves again', async () => {
  await using daemon = await DaemonProcess.start();
  const idle = daemon.fds().length;
  const files = idle + FREE;
  execFileSync('prlimit', ['--pid', String(daemon.pid), `--nofile=${files}:${files}`]);
  const sockets: Socket[] = [];
  let closed = 0;
  const open = async (): Promise<void> => {
    const socket = connect(daemon.socket).on('error', () => {});
    sockets.push(socket.on('close', () => (closed += 1)).resume());
    await once(socket, 'connect');
  };
  try {
    // libuv accepts and closes those for which there is no file descriptor.
    for (let count = 0; count < 3 * FREE; count += 1) await open();
    await until('no file can be opened', () => daemon.fds().length >= files);
    // After 10 s without a request, and after a look at the daemon's memory, for which it opens a file.
    await until('the connections are closed', () => closed >= 3 * FREE - 1);
  } finally {
    for (const socket of sockets) socket.destroy();
  }
  await until('the connections end', () => daemon.fds().length <= idle + 1);
  using client = new RawClient(daemon.address);
  expect((await client.call('getServerInfo', {})).version).not.toBe('');
  expect(daemon.log.text.split(LINE).length - 1).toBeLessThanOrEqual(1);
  expect(await daemon.end()).toBe(0);
});
