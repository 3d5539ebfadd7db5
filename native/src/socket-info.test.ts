import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { connect, createServer, type ListenOptions, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, describe, expect, test } from '@jest/globals';

import { socketInfo } from './index.js';

const dir = mkdtempSync(join(tmpdir(), 'btfd-socket-'));
afterAll(() => rmSync(dir, { recursive: true }));

/** Node tells the number of a socket's file descriptor nowhere else. */
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
  test('tells where a unix socket listens', async () => {
    const path = join(dir, 'a.sock');
    const server = await listen({ path });
    const client = connect(path);
    await once(client, 'connect');
    expect(socketInfo(fdOf(server))).toEqual({ family: 'unix', isListening: true, host: path, port: 0 });
    expect(socketInfo(fdOf(client))).toEqual({ family: 'unix', isListening: false, host: '', port: 0 });
    client.destroy();
    server.close();
  });

  test('tells the longest path whole, and an abstract name after @', async () => {
    const path = join(dir, 'p'.repeat(107 - dir.length - 1));
    const server = await listen({ path });
    expect(socketInfo(fdOf(server)).host).toBe(path);
    server.close();
    const name = `btfd-test-${process.pid}`;
    const abstract = await listen({ path: `\0${name}` });
    const { family, isListening, host } = socketInfo(fdOf(abstract));
    abstract.close();
    // Some versions of Node fill the name up with NULs, which are part of it.
    expect([family, isListening, host.replace(/\0+$/, '')]).toEqual(['unix', true, `@${name}`]);
  });

  test.each(['127.0.0.1', '::1'])('tells where a TCP socket listens: %s', async (host) => {
    const server = await listen({ host, port: 0 });
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : null;
    expect(socketInfo(fdOf(server))).toEqual({ family: 'inet', isListening: true, host, port });
    server.close();
  });

  test('tells what is no socket', () => {
    const fd = openSync('/dev/null', 'r');
    expect(() => socketInfo(fd)).toThrow(`getsockopt of fd ${fd}: ENOTSOCK`);
    closeSync(fd);
    expect(() => socketInfo(1_000_000)).toThrow('getsockopt of fd 1000000: EBADF');
  });
});
