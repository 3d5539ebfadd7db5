import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { needs } from 'test-tools';

import { btfGetFdById, BtfFdClosedError, fdStats, requestFd, type BtfFd } from './index.js';
import { runNode } from './testing/run-node.js';
import { vmlinuxId } from './testing/vmlinux.js';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'btfd-fd-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

/** Node has no public API for the file descriptor of a socket. */
function fdOf(socket: Socket): number {
  const handle: unknown = Reflect.get(socket, '_handle');
  if (typeof handle !== 'object' || handle === null || !('fd' in handle)) throw new Error('no handle');
  return Number(handle.fd);
}

/** Serves connections, each with its request, until it is disposed of. */
async function serve(onRequest: (socket: Socket, request: string) => void) {
  const path = join(dir, 'socket');
  const server = createServer((socket) => {
    socket.setEncoding('utf8').on('data', (text: string) => onRequest(socket, text));
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return { path, [Symbol.dispose]: () => void server.close() };
}

needs('bpf').describe('A file descriptor that is sent', () => {
  test('is the same object for its receiver, and outlives that of the sender', async () => {
    const sent = btfGetFdById(vmlinuxId());
    using served = await serve((socket, request) => {
      sent.send(fdOf(socket), `got ${request}`);
      sent.close();
      socket.end();
    });
    const { text, fd } = await requestFd(served.path, 'this\n');
    expect(text).toBe('got this\n');
    expect(fd?.info()).toMatchObject({ id: vmlinuxId(), name: 'vmlinux' });
    expect(fd?.fd).toBeGreaterThan(0);
    expect(fd?.close()).toBe(true);
    expect(fdStats().open).toBe(0);
    expect(() => sent.send(0, 'x')).toThrow(BtfFdClosedError);
  });

  test('is refused for a file descriptor that is not open, and without a text', () => {
    using sent = btfGetFdById(vmlinuxId());
    expect(() => sent.send(0x7fff_ffff, 'x')).toThrow('sendmsg of fd 2147483647: EBADF');
    expect(() => sent.send(1, '')).toThrow('text must have at least one character');
  });

  test('is closed if it comes with more than a line may have', async () => {
    using sent: BtfFd = btfGetFdById(vmlinuxId());
    using served = await serve((socket) => sent.send(fdOf(socket), 'x'.repeat(100)));
    const before = readdirSync('/proc/self/fd').length;
    const asking = requestFd(served.path, '\n', { maxSize: 10 });
    await expect(asking).rejects.toMatchObject({ code: 'EMSGSIZE' });
    expect(readdirSync('/proc/self/fd').length).toBeLessThanOrEqual(before + 1);
  });

  test('is never 0, where that is free', async () => {
    using sent = btfGetFdById(vmlinuxId());
    using served = await serve((socket) => sent.send(fdOf(socket), 'x\n'));
    const { stdout } = await runNode(`
      closeSync(0);
      const { fd } = await native.requestFd(${JSON.stringify(served.path)}, '\\n');
      console.log(fd.fd > 0, fd.info().name);`);
    expect(stdout).toBe('true vmlinux\n');
  });
});

test('A reply with two file descriptors fails the request, and both are closed', async () => {
  const path = join(dir, 'two');
  const program = `
import socket
server = socket.socket(socket.AF_UNIX)
server.bind(${JSON.stringify(path)})
server.listen()
print("listening", flush=True)
socket.send_fds(server.accept()[0], [b"ok\\n"], [0, 1])`;
  const peer = spawn('python3', ['-c', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(peer.stdout, 'data');
  const before = readdirSync('/proc/self/fd').length;
  await expect(requestFd(path, 'x\n')).rejects.toMatchObject({ code: 'EMSGSIZE' });
  expect(readdirSync('/proc/self/fd').length).toBeLessThanOrEqual(before);
});

test('A reply without a file descriptor has none', async () => {
  using served = await serve((socket) => socket.end('no'));
  expect(await requestFd(served.path, 'x\n')).toEqual({ text: 'no', fd: null });
});

test('A peer that does not reply fails the request after a time', async () => {
  using served = await serve(() => {});
  const asking = requestFd(served.path, 'x\n', { timeoutMs: 50 });
  await expect(asking).rejects.toMatchObject({ name: 'SystemCallError', code: 'EAGAIN' });
});

test.each([
  ['ENOENT', '/nonexistent/socket'],
  ['ENAMETOOLONG', `/${'x'.repeat(200)}`],
])('A path where nobody listens is an error: %s', async (code, path) => {
  await expect(requestFd(path, 'x\n')).rejects.toMatchObject({ code });
});
