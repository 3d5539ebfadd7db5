import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { connect, createServer, type ListenOptions, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, describe, expect, test } from '@jest/globals';

import { hasUnreceived, socketInfo } from './index.js';

const dir = mkdtempSync(join(tmpdir(), 'btfd-socket-'));
afterAll(() => rmSync(dir, { recursive: true }));

/** Node has no public API for the file descriptor of a socket. */
function fdOf(socket: Server | Socket): number {
  const { _handle: handle } = socket as unknown as { _handle: { fd: number } };
  return handle.fd;
}

async function listen(where: ListenOptions): Promise<Server> {
  const server = createServer().listen(where);
  await once(server, 'listening');
  return server;
}

describe('socketInfo', () => {
  test('returns the path of a unix socket that listens', async () => {
    const path = join(dir, 'a.sock');
    const server = await listen({ path });
    const client = connect(path);
    await once(client, 'connect');
    expect(socketInfo(fdOf(server))).toEqual({ family: 'unix', isListening: true, host: path, port: 0 });
    expect(socketInfo(fdOf(client))).toEqual({ family: 'unix', isListening: false, host: '', port: 0 });
    client.destroy();
    server.close();
  });

  test('returns the longest path in full, and an abstract name after @', async () => {
    const path = join(dir, 'p'.repeat(107 - dir.length - 1));
    const server = await listen({ path });
    expect(socketInfo(fdOf(server)).host).toBe(path);
    server.close();
    const name = `btfd-test-${process.pid}`;
    const abstract = await listen({ path: `\0${name}` });
    const { family, isListening, host } = socketInfo(fdOf(abstract));
    abstract.close();
    // Some versions of Node pad the name with NULs, which are part of it.
    expect([family, isListening, host.replace(/\0+$/, '')]).toEqual(['unix', true, `@${name}`]);
  });

  test.each(['127.0.0.1', '::1'])('returns the address of a TCP socket that listens: %s', async (host) => {
    const server = await listen({ host, port: 0 });
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : null;
    expect(socketInfo(fdOf(server))).toEqual({ family: 'inet', isListening: true, host, port });
    server.close();
  });

  test('throws the errno for a file descriptor that is not a socket, or not open', () => {
    const fd = openSync('/dev/null', 'r');
    expect(() => socketInfo(fd)).toThrow(`getsockopt of fd ${fd}: ENOTSOCK`);
    closeSync(fd);
    expect(() => socketInfo(1_000_000)).toThrow('getsockopt of fd 1000000: EBADF');
  });
});

test('hasUnreceived throws the errno for a file descriptor that is not a socket, or not open', () => {
  const fd = openSync('/dev/null', 'r');
  expect(() => hasUnreceived(fd)).toThrow(`ioctl SIOCOUTQ of fd ${fd}: ENOTTY`);
  closeSync(fd);
  expect(() => hasUnreceived(1_000_000)).toThrow('ioctl SIOCOUTQ of fd 1000000: EBADF');
});

test('hasUnreceived is true until the peer has received, or has closed the connection', async () => {
  const path = join(dir, 'unreceived.sock');
  const server = await listen({ path });
  const sockets: Socket[] = [];
  server.on('connection', (socket: Socket) => sockets.push(socket.on('error', () => {})));
  for (const leave of ['resume', 'destroy'] as const) {
    const client = connect(path).pause();
    await once(server, 'connection');
    const socket = sockets.pop();
    if (socket === undefined) throw new Error('no connection');
    const fd = fdOf(socket);
    expect(hasUnreceived(fd)).toBe(false);
    writeSync(fd, 'text');
    expect(hasUnreceived(fd)).toBe(true);
    const left = once(client, leave === 'resume' ? 'data' : 'close');
    client[leave]();
    await left;
    expect(hasUnreceived(fd)).toBe(false);
    client.destroy();
    socket.destroy();
  }
  server.close();
});
