import { once } from 'node:events';
import { connect, createServer, type ServerHttp2Stream } from 'node:http2';
import { expect, test } from '@jest/globals';
import { followStream } from './internals.js';

test('A stream that has closed holds nothing of its call, and no error of it ends the process', async () => {
  const server = createServer();
  const opened = new Promise<ServerHttp2Stream>((resolve) => server.once('stream', resolve));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  const client = connect(`http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`);
  const request = client.request({ ':method': 'POST' });
  request.end('bytes');
  const stream = await opened;
  const received: number[] = [];
  const follower = { received: (bytes: number) => received.push(bytes), closed: () => received.push(-1) };
  followStream(stream, follower);
  // As grpc-js does.
  const call = {};
  stream.on('data', () => call).once('error', () => call);
  stream.respond({}, { endStream: true });
  await Promise.all([once(stream, 'close'), once(request.resume(), 'close')]);
  expect(received).toEqual([5, -1]);
  expect(stream.eventNames()).toEqual(['error']);
  const values = Reflect.ownKeys(stream).map((key): unknown => Reflect.get(stream, key));
  expect(values).not.toContain(follower);
  expect(stream.emit('error', new Error('late'))).toBe(true);
  client.close();
  server.close();
});
