import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { BtfClient } from '../client.js';
import { FakeDaemon } from '../fake-daemon/index.js';
import { rejection } from '../testing/promises.js';
import { tinyBtf } from '../testing/tiny-btf.js';
import { FD_CODES, handleFd } from './handle-fd.js';
import { nativePackage } from './native-package.js';

let dir: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'btfd-client-fd-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

/** Serves one reply to each connection. Keeps the requests. */
async function serve(reply: string) {
  const path = join(dir, `${reply.length}.sock`);
  const requests: string[] = [];
  const server = createServer((socket) => {
    socket.setEncoding('utf8').once('data', (text: string) => {
      requests.push(text);
      socket.end(reply);
    });
  });
  await once(server.listen(path), 'listening');
  return { path, requests, [Symbol.dispose]: () => void server.close() };
}

test('a package that is missing is named, with the command that installs it', async () => {
  const missing = new Error("Cannot find package '@btfd/native' imported from /x");
  expect(await rejection(nativePackage(async () => Promise.reject(missing)))).toMatchObject({
    reason: 'NATIVE_MISSING',
    message: expect.stringContaining('`npm install @btfd/native` (Cannot find package'),
    cause: missing,
  });
});

test.each([
  ['error ROLE_FORBIDS uid:1 has the role viewer\n', 'ROLE_FORBIDS', status.PERMISSION_DENIED],
  ['error OF_A_LATER_DAEMON text\n', null, status.UNKNOWN],
  ['ok\n', 'INVALID_RESPONSE', status.INTERNAL],
  ['HTTP/1.1 400 Bad Request\n', 'INVALID_RESPONSE', status.INTERNAL],
  ['', 'UNREACHABLE', status.UNAVAILABLE],
] as const)('the reply %j is an error', async (reply, reason, code) => {
  using server = await serve(reply);
  expect(await rejection(handleFd('token', server.path))).toMatchObject({ reason, code });
  expect(server.requests).toEqual(['token\n']);
});

test('a path where nobody listens is UNREACHABLE', async () => {
  expect(await rejection(handleFd('token', join(dir, 'none')))).toMatchObject({
    reason: 'UNREACHABLE',
    message: expect.stringContaining('ENOENT'),
  });
});

test.each([
  ['handle', undefined, '/x'],
  ['handle', {}, '/x'],
  ['path', 'token', undefined],
])('another type of %s is refused', async (field, handle, path) => {
  const refused = rejection(handleFd(handle as string, path as string));
  expect(await refused).toMatchObject({ reason: 'INVALID_REQUEST', fieldViolations: [{ field }] });
});

test('a closed handle is not sent, and a refused one stays open', async () => {
  await using daemon = await FakeDaemon.start({ objects: [{ name: 'vmlinux', btf: tinyBtf('int') }] });
  await using client = new BtfClient(daemon.address);
  const handle = await client.findHandle(() => true);
  using server = await serve('error HANDLE_NOT_FOUND no such handle\n');
  expect(await rejection(handleFd(handle, server.path))).toMatchObject({ reason: 'HANDLE_NOT_FOUND' });
  expect(handle.lost.aborted).toBe(false);
  await handle.close();
  expect(await rejection(handleFd(handle, server.path))).toMatchObject({ reason: 'HANDLE_CLOSED' });
  expect(server.requests).toHaveLength(1);
});

test('each reason has the code in the documents', () => {
  const document = readFileSync(new URL('../../../../docs/errors.md', import.meta.url), 'utf8');
  const codes = Object.keys(FD_CODES).map((reason) => [
    reason,
    new RegExp(`^\\| \`${reason}\` +\\| (\\w+) `, 'm').exec(document)?.[1],
  ]);
  expect(codes).toEqual(Object.entries(FD_CODES).map(([reason, code]) => [reason, status[code]]));
});
