import { chmodSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { status } from '@grpc/grpc-js';
import { InfoDetail, Origin } from '@btfd/api';
import { BtfUser } from './testing/btf-user.js';
import { callAs, type CallOf, type Identity, type Outcome } from './testing/caller-process.js';
import { DaemonProcess } from './testing/daemon-process.js';
import { RawClient } from './testing/raw-client.js';

/** Ids that no user of the machine has. */
const SOCKET_GROUP = 54_321;
const INSPECTORS = 54_322;
const OWN_GROUP = 54_323;
const VIEWER: Identity = { uid: 61_001, gid: OWN_GROUP, groups: [SOCKET_GROUP] };
const OTHER_VIEWER: Identity = { ...VIEWER, uid: 61_002 };
const INSPECTOR: Identity = { uid: 61_003, gid: OWN_GROUP, groups: [SOCKET_GROUP, INSPECTORS] };
const LISTED_LOADER: Identity = { uid: 61_004, gid: SOCKET_GROUP, groups: [] };
const NOBODY: Identity = { uid: 61_005, gid: OWN_GROUP, groups: [] };

needs('bpf').describe('on a unix socket', () => {
  let dir: string;
  let daemon: DaemonProcess;
  let user: BtfUser;

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'btfd-roles-'));
    chmodSync(dir, 0o755);
    const flags = [
      ['--socket-group', String(SOCKET_GROUP)],
      ['--inspector', `gid:${INSPECTORS}`],
      ['--loader', `uid:${LISTED_LOADER.uid}`],
    ];
    daemon = await DaemonProcess.start({ socket: join(dir, 'run', 'btfd.sock'), args: flags.flat() });
    user = await BtfUser.start();
  });
  afterAll(async () => {
    await user[Symbol.asyncDispose]();
    await daemon[Symbol.asyncDispose]();
    rmSync(dir, { recursive: true });
  });

  const as = async (who: Identity, ...calls: CallOf[]): Promise<Outcome[]> =>
    callAs(daemon.address, who, calls);
  const reasons = (outcomes: readonly Outcome[]) => outcomes.map(({ reason }) => reason ?? 'ok');
  const FORBIDDEN = { code: status.PERMISSION_DENIED, reason: 'ROLE_FORBIDS' };

  test('only the group can use the socket and its folder', () => {
    const shown = (path: string) => {
      const { uid, gid, mode } = statSync(path);
      return [uid, gid, (mode & 0o7777).toString(8)];
    };
    expect(shown(daemon.socket)).toEqual([0, SOCKET_GROUP, '660']);
    expect(shown(join(dir, 'run'))).toEqual([0, SOCKET_GROUP, '750']);
  });

  test.each([
    [VIEWER, 'ROLE_VIEWER'],
    [INSPECTOR, 'ROLE_INSPECTOR'],
    [LISTED_LOADER, 'ROLE_LOADER'],
  ])('GetServerInfo reports the principal and role of %j', async (who, role) => {
    const [{ answers = [] } = {}] = await as(who, ['getServerInfo', {}]);
    expect(answers).toEqual([expect.objectContaining({ caller: { principal: `uid:${who.uid}`, role } })]);
  });

  test('a viewer, by a supplementary group, sees the kernel’s objects, but not those of users', async () => {
    const id = user.facts.btfId;
    const outcomes = await as(
      VIEWER,
      ['iterateHandles', {}],
      ['getHandleById', { id }],
      ['spec', { id }],
      ['resolveMembers', { id, paths: ['a.b'] }],
      ['iterateHandles', { origins: [Origin.USER] }],
      ['iterateHandles', { details: [InfoDetail.USERS] }],
      ['loadHandle', {}],
      ['getHandleById', { id: 1 }],
    );
    const [listed, byId] = outcomes;
    expect(byId).toEqual({
      ...FORBIDDEN,
      message: `uid:${VIEWER.uid} has the role viewer; an object that a user loaded needs inspector`,
    });
    expect(reasons(outcomes)).toEqual(['ok', ...Array.from({ length: 6 }, () => 'ROLE_FORBIDS'), 'ok']);
    using root = new RawClient(daemon.address);
    const kernelIds: number[] = [];
    for await (const { info } of root.stream('iterateHandles', {})) {
      if (info?.isKernel === true) kernelIds.push(info.id);
    }
    expect(listed?.answers).toEqual(
      kernelIds.map((kernelId) => ({ info: expect.objectContaining({ id: kernelId, isKernel: true }) })),
    );
  });

  test('an inspector, by a supplementary group, sees users’ objects and their users, but may not load', async () => {
    const id = user.facts.btfId;
    const outcomes = await as(
      INSPECTOR,
      ['iterateHandles', { origins: [Origin.USER], details: [InfoDetail.USERS] }],
      ['getHandleById', { id }],
      ['loadHandle', {}],
    );
    expect(outcomes[0]?.answers).toContainEqual({
      info: expect.objectContaining({ id, users: expect.anything() }),
    });
    expect(reasons(outcomes)).toEqual(['ok', 'ok', 'ROLE_FORBIDS']);
  });

  test('a loader, by uid, gets past the role check to the check of the request', async () => {
    expect(reasons(await as(LISTED_LOADER, ['loadHandle', {}]))).toEqual(['INVALID_REQUEST']);
  });

  test('handles belong to their user: to any other user they are unknown, in every RPC', async () => {
    const held = await as(VIEWER, ['getHandleById', { id: 1, ttl: '60s' }]);
    const token = tokenIn(held[0]);
    const unknown = `${token.slice(0, -4)}AAAA`;
    const uses = (each: string): CallOf[] => [
      ['getHandleInfo', { token: each }],
      ['takeHandle', { token: each }],
      ['cloneHandle', { token: each }],
      ['spec', { handle: each }],
      ['resolveMembers', { handle: each, paths: ['a.b'] }],
      ['resolveMembers', { id: 1, paths: ['a.b'], base: { handle: each } }],
      ['renewHandles', { tokens: [each] }],
      ['closeHandles', { tokens: [each] }],
    ];
    const [foreign, never] = await Promise.all([
      as(OTHER_VIEWER, ...uses(token)),
      as(OTHER_VIEWER, ...uses(unknown)),
    ]);
    expect(foreign).toEqual(never);
    expect(foreign.slice(0, 5).map(({ reason }) => reason)).toEqual(
      Array.from({ length: 5 }, () => 'HANDLE_NOT_FOUND'),
    );
    expect(foreign[6]?.answers).toEqual([{ results: [{}] }]);
    expect(foreign[7]?.answers).toEqual([{ wasOpen: [false] }]);
    // Root is another user too.
    expect(reasons(await as({ uid: 0, gid: 0, groups: [] }, ['getHandleInfo', { token }]))).toEqual([
      'HANDLE_NOT_FOUND',
    ]);
    // Another process of the same user may use them.
    const own = await as(VIEWER, ['getHandleInfo', { token }], ['closeHandles', { tokens: [token] }]);
    expect(own[1]?.answers).toEqual([{ wasOpen: [true] }]);
  });

  test('a user who is not in the socket’s group cannot open it', async () => {
    await expect(callAs(daemon.address, NOBODY, [['getServerInfo', {}]])).rejects.toThrow('EACCES');
  });

  test('a user without a role gets ROLE_FORBIDS in every RPC except health', async () => {
    chmodSync(daemon.socket, 0o666);
    chmodSync(join(dir, 'run'), 0o755);
    try {
      const [info, close, health] = await as(
        NOBODY,
        ['getServerInfo', {}],
        ['closeHandles', {}],
        ['health', {}],
      );
      expect(info).toEqual({
        ...FORBIDDEN,
        message: `uid:${NOBODY.uid} has no role; GetServerInfo needs viewer`,
      });
      expect(close).toMatchObject(FORBIDDEN);
      expect(health).toEqual({ answers: [{ status: 'SERVING' }] });
    } finally {
      chmodSync(daemon.socket, 0o660);
      chmodSync(join(dir, 'run'), 0o750);
    }
  });

  function tokenIn(outcome: Outcome | undefined): string {
    const answer: unknown = outcome?.answers?.[0];
    return (answer as { handle: { token: string } }).handle.token;
  }
});
