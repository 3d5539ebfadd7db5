import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { join } from 'node:path';
import { linkSync, statSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { TempDir } from '../testing/temp-dir.js';
import { Listener, onLoopback } from './listener.js';

/** Connects as soon as something listens. */
async function connected(path: string): Promise<void> {
  for (;;) {
    const socket = connect(path);
    const works = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    socket.destroy();
    if (works) return;
    await setTimeout(1);
  }
}

/** Leaves a socket behind, like a process that was killed. */
async function leaveStale(path: string): Promise<void> {
  const server = createServer();
  await once(server.listen(`${path}.tmp`), 'listening');
  linkSync(`${path}.tmp`, path);
  await once(server.close(), 'close');
}

test.each([
  ['', async () => {}],
  [' in place of a stale socket', leaveStale],
])(
  'A client that connects at the start%s is known to have come over the unix socket',
  async (_place, leave) => {
    using dir = new TempDir();
    const path = join(dir.path, 'btfd.sock');
    await leave(path);
    const groups: (number | null)[] = [];
    const opening = Listener.open(
      { kind: 'unix', path },
      {
        socketGroup: null,
        maxConnections: 8,
        maxFiles: Infinity,
        onConnection: (_, gid) => groups.push(gid),
        onFailure: () => {},
      },
    );
    await connected(path);
    const { listener } = await opening;
    expect(groups).toEqual([statSync(path).gid]);
    listener.stopAccepting();
  },
);

const LOCALHOST = { kind: 'tcp', host: 'localhost', port: 1 } as const;

describe('A name of a loopback address', () => {
  test.each(['127.0.0.1', '127.1.2.3', '::1', '::ffff:127.0.0.1'])('is replaced by %s', async (address) => {
    expect(await onLoopback(LOCALHOST, async () => ({ address }))).toEqual({ ...LOCALHOST, host: address });
  });

  test.each(['10.0.0.1', '::', '0.0.0.0', 'fe80::1', '::ffff:10.0.0.1'])(
    'is refused if it resolves to %s',
    async (address) => {
      await expect(onLoopback(LOCALHOST, async () => ({ address }))).rejects.toThrow(
        `localhost:1 resolves to ${address}, which is not loopback`,
      );
    },
  );

  test('is refused if it does not resolve', async () => {
    const lookup = () => Promise.reject(new Error('getaddrinfo ENOTFOUND localhost'));
    await expect(onLoopback(LOCALHOST, lookup)).rejects.toThrow('ENOTFOUND');
  });

  test('is resolved by the system', async () => {
    expect(await onLoopback(LOCALHOST)).toMatchObject({
      host: expect.stringMatching(/^(127\.0\.0\.1|::1)$/),
    });
  });
});

test('An address without a name is returned as it is', async () => {
  const lookup = () => Promise.reject(new Error('was looked up'));
  const ip = { kind: 'tcp', host: '127.0.0.1', port: 1 } as const;
  const unix = { kind: 'unix', path: '/run/x' } as const;
  expect([await onLoopback(ip, lookup), await onLoopback(unix, lookup)]).toEqual([ip, unix]);
});
