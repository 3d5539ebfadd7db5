import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { BtfClient, type HandleInfo, type ObjectUsers } from '@btfd/client';
import { btfGetFdById } from '@btfd/native';
import { btfList } from './testing/bpftool.js';
import { BtfUser } from './testing/btf-user.js';
import { DaemonProcess } from './testing/daemon-process.js';
import { describeKernel } from './testing/describe-kernel.js';
import { intBtf } from './testing/sample-btf.js';

const VMLINUX_FILE = '/sys/kernel/btf/vmlinux';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const reasonOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => null,
    (error: { reason?: string }) => error.reason,
  );

describeKernel('An object’s info', () => {
  let user: BtfUser;
  let daemon: DaemonProcess;
  let client: BtfClient;

  beforeAll(async () => {
    daemon = await DaemonProcess.start();
    client = new BtfClient(daemon.address);
    user = await BtfUser.start();
  });
  afterAll(async () => {
    await user[Symbol.asyncDispose]();
    await client.close();
    await daemon[Symbol.asyncDispose]();
  });

  /** An object as it is listed with its users. */
  async function listed(id: number): Promise<HandleInfo | undefined> {
    return (await client.listObjects({ details: ['users'], afterId: id - 1 })).find((info) => info.id === id);
  }

  /** The pids of the processes that hold an object, in order. */
  const pidsOf = (users: ObjectUsers | null | undefined): number[] =>
    (users?.processes ?? []).map(({ pid }) => pid).toSorted((a, b) => a - b);

  test('tells the same programs, maps and processes as bpftool', async () => {
    const { said } = user;
    const entry = btfList().find(({ id }) => id === said.btfId);
    expect(entry).toMatchObject({ prog_ids: [said.program.id], map_ids: [said.map.id] });
    const users = (await listed(said.btfId))?.users;
    expect(users).toEqual({
      programs: [said.program],
      maps: [said.map],
      processes: [{ pid: said.pid, command: said.command }],
    });
    if (entry?.pids !== undefined) {
      expect(users?.processes).toEqual(entry.pids.map(({ pid, comm }) => ({ pid, command: comm })));
    }
  });

  test('tells of every process that holds the object, once for however many file descriptors', async () => {
    const { pid, btfId } = user.said;
    using mine = btfGetFdById(btfId);
    using again = mine.dup();
    expect(again.info().id).toBe(btfId);
    const users = (await listed(btfId))?.users;
    expect(pidsOf(users)).toEqual([pid, process.pid].toSorted((a, b) => a - b));
    const command = readFileSync('/proc/self/comm', 'utf8').trimEnd();
    expect(users?.processes).toContainEqual({ pid: process.pid, command });
  });

  test('tells of the daemon where a client holds the object, and not where it is only looked at', async () => {
    const { pid, btfId } = user.said;
    expect(pidsOf((await listed(btfId))?.users)).toEqual([pid]);
    await using handle = await client.getHandleById(btfId);
    const { info } = await handle.inspect({ details: ['users', 'digest'] });
    expect(pidsOf(info.users)).toEqual([pid, daemon.pid].toSorted((a, b) => a - b));
    expect(info.digest).toBe(sha256(await handle.rawBtf()));
  });

  test('has what was asked for with handles that an iteration holds', async () => {
    const digest = sha256(readFileSync(VMLINUX_FILE));
    for await (const handle of client.iterateHandles({
      origins: ['vmlinux'],
      details: ['digest', 'users'],
    })) {
      expect(handle.info).toMatchObject({ digest, users: { programs: [], maps: [] } });
    }
  });

  test('tells of nobody once its users are gone', async () => {
    await using handle = await client.loadHandle(intBtf(1, 'lonely'));
    await using other = await BtfUser.start();
    await using held = await client.getHandleById(other.said.btfId);
    await other[Symbol.asyncDispose]();
    for (const each of [handle, held]) {
      const { info } = await each.inspect({ details: ['users'] });
      expect(info.users).toMatchObject({ programs: [], maps: [], processes: [{ pid: daemon.pid }] });
    }
  });
});

describeKernel('A daemon', () => {
  test('without CAP_SYS_ADMIN refuses to tell users, and tells digests', async () => {
    await using daemon = await DaemonProcess.start({ wrapper: ['setpriv', '--bounding-set=-sys_admin'] });
    await using client = new BtfClient(daemon.address);
    await using handle = await client.loadHandle(intBtf(1, 'mine'));
    expect(await reasonOf(client.listObjects({ details: ['users'] }))).toBe('DAEMON_LACKS_CAPABILITY');
    expect(await reasonOf(handle.inspect({ details: ['users'] }))).toBe('DAEMON_LACKS_CAPABILITY');
    expect((await handle.inspect({ details: ['digest'] })).info.digest).toBe(sha256(intBtf(1, 'mine')));
    const [vmlinux] = await client.listObjects({ nameGlobs: ['vmlinux'], details: ['digest'] });
    expect(vmlinux).toMatchObject({ id: 0, digest: sha256(readFileSync(VMLINUX_FILE)), users: null });
  });

  test('without CAP_SYS_PTRACE tells programs and maps, and of processes those that it may look into', async () => {
    const set = '-all,+sys_admin,+bpf';
    await using user = await BtfUser.start();
    await using daemon = await DaemonProcess.start({
      wrapper: ['setpriv', `--inh-caps=${set}`, `--bounding-set=${set}`],
    });
    await using client = new BtfClient(daemon.address);
    const { btfId, program, map } = user.said;
    await using handle = await client.getHandleById(btfId);
    const { users } = (await handle.inspect({ details: ['users'] })).info;
    expect(users).toMatchObject({ programs: [program], maps: [map], processes: [{ pid: daemon.pid }] });
  });
});
