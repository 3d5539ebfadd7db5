import { EventEmitter, once } from 'node:events';
import { createServer as createHttp2Server } from 'node:http2';
import { connect, createServer, Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { Http2Client } from '../../testing/http2-client.js';
import { ManualClock } from '../../testing/manual-clock.js';
import { TempDir } from '../../testing/temp-dir.js';
import { pauseReading, resumeReading } from '../interceptor/internals.js';
import { LoopTurn, type Reader } from './loop-turn.js';

/** A connection whose handle notes when it is read. */
function reader(name: string, trusted: boolean, log: string[]): Reader {
  const socket = new Socket();
  const handle = Object.assign(new EventEmitter(), {
    readStop: () => log.push(`stop ${name}`),
    readStart: () => log.push(`start ${name}`),
  });
  Reflect.set(socket, '_handle', handle);
  return { socket, trusted };
}

/** Three connections, of which one has a good client, and the time that their work takes. */
function setUp() {
  const clock = new ManualClock();
  const log: string[] = [];
  const turn = new LoopTurn(
    () => log.push('end'),
    () => clock.now(),
  );
  const readers = [reader('a', false, log), reader('b', true, log), reader('c', false, log)];
  for (const each of readers) turn.add(each);
  const work = (index: number, ms: number): void => {
    const worker = readers[index];
    if (worker === undefined) throw new Error(`no reader ${index}`);
    turn.worked(worker);
    clock.advance(ms);
    turn.worked(worker);
  };
  const turned = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return { log, readers, work, turned };
}

describe('In a turn of the event loop', () => {
  test('with little work, every connection is read', async () => {
    const { log, work, turned } = setUp();
    work(0, 5);
    work(1, 5);
    await turned();
    expect(log).toEqual(['end']);
  });

  test('that takes long, no connection is read any more until the next turn', async () => {
    const { log, work, turned } = setUp();
    work(0, 20);
    expect(log).toEqual(['stop a', 'stop b', 'stop c']);
    await turned();
    expect(log.slice(3).toSorted()).toEqual(['end', 'start a', 'start b', 'start c']);
  });

  test('connections that waited come before those that were read, and good clients first in every other turn', async () => {
    const { log, work, turned } = setUp();
    work(0, 20);
    await turned();
    expect(log.slice(3)).toEqual(['start c', 'start a', 'start b', 'end']);
    log.length = 0;
    work(2, 20);
    await turned();
    expect(log.slice(3)).toEqual(['start b', 'start a', 'start c', 'end']);
  });

  test('a connection that has closed is forgotten', async () => {
    const { log, readers, work, turned } = setUp();
    readers[1]?.socket.emit('close');
    work(1, 20);
    await turned();
    expect(log).toEqual(['stop a', 'stop c', 'start a', 'start c', 'end']);
  });
});

test('A connection of HTTP/2 that is paused is not read, and loses nothing', async () => {
  using dir = new TempDir();
  const path = join(dir.path, 'socket');
  const http2 = createHttp2Server();
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    http2.emit('connection', socket);
  }).listen(path);
  await once(server, 'listening');
  const received: number[] = [];
  http2.on('stream', (stream) => {
    received.push(stream.id ?? 0);
    stream.respond({ ':status': 200 }, { endStream: true });
  });
  const client = new Http2Client(path);
  const first = client.call('/').resume();
  await once(first, 'close');
  const [socket] = sockets;
  if (socket === undefined) throw new Error('not connected');
  pauseReading(socket);
  const second = client.call('/').resume();
  // A connection that is read has been read when another one was.
  const other = connect(path);
  await once(other, 'connect');
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(received).toEqual([1]);
  resumeReading(socket);
  await once(second, 'close');
  expect(received).toEqual([1, 3]);
  client[Symbol.dispose]();
  other.destroy();
  http2.close();
  server.close();
});
