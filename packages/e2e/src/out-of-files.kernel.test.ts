import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect } from '@jest/globals';
import { needs } from 'test-tools';
import { DaemonProcess } from './testing/daemon-process.js';
import { RawClient } from './testing/raw-client.js';
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
