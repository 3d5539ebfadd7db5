import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { ErrorReason } from '@btfd/api';
import { SystemCallError } from '@btfd/native';
import { describe, expect, test } from '@jest/globals';
import { CurrentPolicy, NO_RULES, Policy } from '../auth/policy.js';
import { MAX_REFUSED } from '../listen/connections.js';
import { Quota } from '../quota/quota.js';
import { intBtf } from '../testing/btf-bytes.js';
import { FakeKernel } from '../testing/fake-kernel.js';
import { makeServices } from '../testing/services.js';
import { TempDir } from '../testing/temp-dir.js';
import { FdRequests, type FdRequestEnd } from './fd-requests.js';

/** Node has no name for it. */
const ETOOMANYREFS = 109;
const OWN = `uid:${process.geteuid?.() ?? 0}`;
const CALLER = { principal: OWN, role: 'loader', may: () => true, maySee: () => true } as const;

/** Serves requests on a socket, with a handle of the user of the test. */
async function setUp({
  role = 'loader',
  connections = 4,
  connectionMs = 60_000,
}: { role?: 'loader' | 'viewer'; connections?: number; connectionMs?: number } = {}) {
  const dir = new TempDir();
  const kernel = new FakeKernel();
  const { handles } = await makeServices(kernel);
  const object = kernel.open(kernel.add('vmlinux', intBtf()));
  const { token } = handles.grant(CALLER, object, object.info(), 60_000);
  const ends: FdRequestEnd[] = [];
  const rules = { ...NO_RULES, defaults: false, roles: new Map([[OWN, role]]) };
  const kind = { name: 'connections', what: 'connections', retryMs: 1_000 };
  const quota = new Quota(kind, { each: connections, all: connections });
  const policy = new CurrentPolicy(new Policy(rules, 0));
  const requests = new FdRequests({
    handles,
    policy,
    quota,
    onEnd: (end) => ends.push(end),
    connectionMs,
  });
  const path = join(dir.path, 'socket');
  const served = new Set<Socket>();
  const server = createServer((socket) => {
    // As the listener does.
    socket.on('error', () => {});
    served.add(socket.once('close', () => served.delete(socket)));
    requests.serve(socket, 0);
  });
  server.listen(path);
  await once(server, 'listening');
  return {
    path,
    kernel,
    served,
    token,
    ends,
    async ask(text: string): Promise<string> {
      const socket = connect(path).setEncoding('utf8');
      let reply = '';
      socket.on('data', (part: string) => (reply += part)).write(text);
      await once(socket, 'close');
      return reply;
    },
    /** Waits until no connection counts. */
    async released(): Promise<void> {
      while (quota.inUse > 0) await new Promise(setImmediate);
    },
    [Symbol.dispose]() {
      server.close();
      dir[Symbol.dispose]();
    },
  };
}

describe('A request for a file descriptor', () => {
  test('is served once, and uses the handle', async () => {
    using served = await setUp();
    expect(await served.ask(`${served.token}\n`)).toBe('ok\n');
    expect(served.ends).toMatchObject([
      { principal: OWN, pid: process.pid, info: { name: 'vmlinux' }, error: null },
    ]);
    await served.released();
  });

  test.each([
    ['x\n', ErrorReason.HANDLE_NOT_FOUND],
    ['\n', ErrorReason.HANDLE_NOT_FOUND],
    ['x\nx', ErrorReason.INVALID_REQUEST],
    ['x'.repeat(257), ErrorReason.INVALID_REQUEST],
  ])('is refused: %j', async (text, reason) => {
    using served = await setUp();
    expect(await served.ask(text)).toMatch(new RegExp(`^error ${ErrorReason[reason]} .*\\n$`));
    expect(served.ends).toMatchObject([{ info: null, error: { reason } }]);
  });

  test('is refused for a caller that is not a loader', async () => {
    using served = await setUp({ role: 'viewer' });
    expect(await served.ask(`${served.token}\n`)).toMatch(/^error ROLE_FORBIDS /);
  });

  test('is refused beyond the quota of connections', async () => {
    using served = await setUp({ connections: 1 });
    const silent = connect(served.path);
    while (served.served.size === 0) await new Promise(setImmediate);
    expect(await served.ask(`${served.token}\n`)).toMatch(/^error QUOTA_EXCEEDED /);
    silent.destroy();
    await served.released();
    expect(await served.ask(`${served.token}\n`)).toBe('ok\n');
  });

  test('beyond the quota leaves room for others, whose peers do not close their connections', async () => {
    using served = await setUp({ connections: 0 });
    const peers = Array.from({ length: MAX_REFUSED + 8 }, () =>
      connect({ path: served.path, allowHalfOpen: true }).on('error', () => {}),
    );
    while (served.ends.length < peers.length || served.served.size > MAX_REFUSED) {
      await new Promise(setImmediate);
    }
    for (const peer of peers) peer.destroy();
  });

  test.each(['stays', 'ends its side'])('counts until its peer, which %s, has received', async (how) => {
    using served = await setUp({ connections: 1, connectionMs: 1_000 });
    // Paused before it is connected, it receives nothing.
    const peer = connect({ path: served.path, allowHalfOpen: true }).pause();
    peer.write(`${served.token}\n`);
    if (how === 'ends its side') peer.end();
    while (served.ends.length === 0) await new Promise(setImmediate);
    await setTimeout(1_100);
    // The kernel keeps the file descriptor of such a peer, also if the daemon closed its end.
    expect(await served.ask(`${served.token}\n`)).toMatch(/^error QUOTA_EXCEEDED /);
    peer.resume();
    await served.released();
    expect(await served.ask(`${served.token}\n`)).toBe('ok\n');
    peer.destroy();
  });

  test('counts until its peer, which never receives, has closed the connection', async () => {
    using served = await setUp({ connections: 1 });
    const peer = connect(served.path).pause();
    peer.write(`${served.token}\n`);
    while (served.ends.length === 0) await new Promise(setImmediate);
    expect(await served.ask(`${served.token}\n`)).toMatch(/^error QUOTA_EXCEEDED /);
    peer.destroy();
    await served.released();
  });

  test('says so if too many file descriptors wait for their receivers', async () => {
    using served = await setUp();
    served.kernel.failures.send = new SystemCallError('sendmsg', 'fd 3', ETOOMANYREFS);
    expect(await served.ask(`${served.token}\n`)).toMatch(/^error OUT_OF_FILES too many file descriptors/);
    expect(served.ends).toMatchObject([{ error: { metadata: { errno_name: 'ETOOMANYREFS' } } }]);
  });

  test('that does not come in time ends the connection', async () => {
    using served = await setUp({ connectionMs: 50 });
    // A connection that is closed before its request was read is reset.
    const peer = connect(served.path).on('error', () => {});
    let reply = '';
    peer.on('data', (part) => (reply += String(part))).write(served.token);
    while (!peer.closed) await new Promise(setImmediate);
    expect([reply, served.ends]).toEqual(['', []]);
    await served.released();
  });
});
