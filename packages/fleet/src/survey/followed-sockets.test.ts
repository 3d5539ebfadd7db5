/* oxlint-disable no-underscore-dangle -- grpc-js names the methods of credentials so. */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { BtfError, status } from '@btfd/client';
import { credentials } from '@grpc/grpc-js';
import { deadAddress, silentNode } from '../testing/stand-ins.js';
import { FollowedSockets } from './followed-sockets.js';
import { reachNode } from './reach-node.js';

const SIGNAL = new AbortController().signal;

describe('The sockets of a client that is closed', () => {
  async function setUp(allowHalfOpen: boolean): Promise<{ server: Server; socket: Socket }> {
    const server = createServer({ allowHalfOpen }, (socket) => void socket.resume().on('error', () => {}));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('the server does not listen');
    const socket = connect(address.port, '127.0.0.1');
    await once(socket, 'connect');
    return { server, socket };
  }

  test.each([
    ['closes its end', false],
    ['keeps its end open, as a stopped process does', true],
  ])('are closed if the other side %s', async (_, allowHalfOpen) => {
    const { server, socket } = await setUp(allowHalfOpen);
    const followed = new FollowedSockets(credentials.createInsecure());
    const connector = followed._createSecureConnector({ path: '127.0.0.1:1' }, {});
    await connector.connect(socket);
    // As grpc-js closes it.
    socket.resume().end();
    await followed.end();
    expect(socket.destroyed).toBe(true);
    // One whose connection was made too late.
    const late = await setUp(true);
    await connector.connect(late.socket);
    expect(late.socket.destroyed).toBe(true);
    for (const each of [server, late.server]) each.close();
  });

  test('are not shared with other clients, even if these have equal credentials', () => {
    const [a, b] = [credentials.createInsecure(), credentials.createInsecure()].map(
      (each) => new FollowedSockets(each),
    );
    expect(a !== undefined && b !== undefined && a._equals(b)).toBe(false);
  });
});

describe('Reaching a node', () => {
  test('works if something listens, and says why otherwise', async () => {
    await using silent = await silentNode();
    await reachNode(silent.address, 10_000, SIGNAL);
    await expect(reachNode(await deadAddress(), 10_000, SIGNAL)).rejects.toMatchObject({
      code: status.UNAVAILABLE,
      reason: 'UNREACHABLE',
      rawMessage: expect.stringMatching(/^cannot connect to 127\.0\.0\.1:\d+: ECONNREFUSED$/),
    });
    await expect(reachNode('unix:/no/such/socket', 10_000, SIGNAL)).rejects.toThrow('ENOENT');
  });

  test('ends after the time, and when its signal aborts', async () => {
    const leaving = new AbortController();
    leaving.abort(new Error('enough'));
    await expect(reachNode('127.0.0.1:1', 10_000, leaving.signal)).rejects.toThrow('enough');
    // A time that is over before a connection can be made.
    await expect(reachNode('host.invalid:1', 1e-3, SIGNAL)).rejects.toBeInstanceOf(BtfError);
  });
});
