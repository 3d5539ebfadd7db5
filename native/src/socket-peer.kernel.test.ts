import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { expect, test } from '@jest/globals';
import { needs } from 'test-tools';

import { socketPeer, type SocketPeer } from './index.js';

interface Identity {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
}

/** Takes an identity, connects, and stays until the connection ends. */
const CLIENT = `
const [path, identity] = process.argv.slice(1);
const { uid, gid, groups } = JSON.parse(identity);
process.setgroups(groups);
process.setgid(gid);
process.setuid(uid);
require('node:net').connect(path).resume();`;

/** Node has no public API for the file descriptor of a socket. */
function fdOf(socket: Socket): number {
  const handle: unknown = Reflect.get(socket, '_handle');
  if (typeof handle !== 'object' || handle === null || !('fd' in handle)) throw new Error('no handle');
  return Number(handle.fd);
}

/** Connects from a process with an identity. Returns the peer that socketPeer reports, and the process id. */
async function peerOf(identity: Identity): Promise<{ peer: SocketPeer; pid: number | undefined }> {
  const dir = await mkdtemp(path.join(tmpdir(), 'btfd-peer-'));
  const server = createServer();
  try {
    const address = path.join(dir, 'socket');
    await once(server.listen(address), 'listening');
    await chmod(dir, 0o755);
    await chmod(address, 0o777);
    const args = ['--eval', CLIENT, address, JSON.stringify(identity)];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] });
    const ended = once(child, 'exit');
    const connection: Promise<Socket[]> = once(server, 'connection');
    const [socket] = await Promise.race([connection, ended.then(() => [])]);
    if (socket === undefined) throw new Error('the client ended without connecting');
    const peer = socketPeer(fdOf(socket));
    socket.end();
    await ended;
    socket.destroy();
    return { peer, pid: child.pid };
  } finally {
    server.close();
    await rm(dir, { recursive: true });
  }
}

needs('bpf').describe('socketPeer', () => {
  test('returns pid, uid, primary and supplementary groups of another user’s process', async () => {
    const { peer, pid } = await peerOf({ uid: 1234, gid: 1235, groups: [27, 4242] });
    expect(peer).toEqual({ pid, uid: 1234, gid: 1235, groups: [27, 4242] });
  });

  test('returns no groups for a process without supplementary groups', async () => {
    const { peer } = await peerOf({ uid: 1234, gid: 1235, groups: [] });
    expect(peer).toMatchObject({ uid: 1234, gid: 1235, groups: [] });
  });

  test('returns more groups than fit into its first buffer', async () => {
    const groups = Array.from({ length: 300 }, (_, index) => 20_000 + index);
    const { peer } = await peerOf({ uid: 0, gid: 0, groups });
    expect(peer.groups).toEqual(groups);
  });
});

test('socketPeer throws the errno for a TCP connection, which has no such peer', async () => {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const client = connect(address.port, '127.0.0.1');
  const [socket]: Socket[] = await once(server, 'connection');
  if (socket === undefined) throw new Error('no connection');
  try {
    expect(() => socketPeer(fdOf(socket))).toThrow(
      expect.objectContaining({ name: 'SystemCallError', code: 'ENODATA' }),
    );
  } finally {
    client.destroy();
    socket.destroy();
    server.close();
  }
});

test('socketPeer throws the errno for a file descriptor that is not open', () => {
  expect(() => socketPeer(0xffff)).toThrow(
    expect.objectContaining({ name: 'SystemCallError', code: 'EBADF' }),
  );
});
