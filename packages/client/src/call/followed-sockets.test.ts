/* oxlint-disable no-underscore-dangle -- grpc-js names the methods of credentials so. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { credentials } from '@grpc/grpc-js';
import { expect, test } from '@jest/globals';
import { FollowedSockets } from './followed-sockets.js';

/** Returns a socket whose other side is closed only when this one is closed entirely, as that of a stopped process. */
async function halfOpenSocket(): Promise<Socket> {
  const server = createServer({ allowHalfOpen: true }, (other) => void other.resume().on('error', () => {}));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const socket = connect(Object(server.address()).port, '127.0.0.1').resume();
  await once(socket, 'connect');
  server.close();
  return socket;
}

test('sockets are closed when their channel is, also one whose connection was made too late', async () => {
  const followed = new FollowedSockets(credentials.createInsecure());
  const connector = followed._createSecureConnector({ path: '127.0.0.1:1' }, {});
  const [socket, late] = [await halfOpenSocket(), await halfOpenSocket()];
  await connector.connect(socket);
  let isClosed = false;
  const closed = followed.closed().then(() => (isClosed = true));
  // As grpc-js closes it.
  socket.end();
  await once(socket, 'finish');
  expect([socket.destroyed, isClosed]).toEqual([false, false]);
  followed.end();
  await closed;
  await connector.connect(late);
  expect([socket.destroyed, late.destroyed]).toEqual([true, true]);
  await followed.closed();
});

test('sockets are not shared with other clients, even if these have equal credentials', () => {
  const [a, b] = [credentials.createInsecure(), credentials.createInsecure()].map(
    (each) => new FollowedSockets(each),
  );
  expect(a !== undefined && b !== undefined && a._equals(b)).toBe(false);
});
