import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { BtfClient, type HandleInfo, type ObjectUsers } from '@btfd/client';
import { btfGetFdById } from '@btfd/native';
import { btfList } from './testing/bpftool.js';
import { BtfUser } from './testing/btf-user.js';
import { DaemonProcess } from './testing/daemon-process.js';
import { intBtf } from './testing/sample-btf.js';
import { until } from './testing/until.js';

const VMLINUX_FILE = '/sys/kernel/btf/vmlinux';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const reasonOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => null,
    (error: { reason?: string }) => error.reason,
  );

/** Returns those of some processes that hold an object, in order. Daemons of other tests may hold it too. */
function holders(users: ObjectUsers | null | undefined, among: readonly number[]): number[] {
  const pids = (users?.processes ?? []).map(({ pid }) => pid);
  return pids.filter((pid) => among.includes(pid)).toSorted((a, b) => a - b);
}

needs('bpf').describe('An object’s info', () => {
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

  /** Returns the listed info of an object, with its users. */
  async function listed(id: number): Promise<HandleInfo | undefined> {
    return (await client.listObjects({ details: ['users'], afterId: id - 1 })).find((info) => info.id === id);
  }

  needs('bpftool').test(
    'names the same programs and maps as bpftool, and the process that holds it',
    async () => {
      const { btfId, pid, command, program, map } = user.facts;
      const entry = btfList().find(({ id }) => id === btfId);
      expect(entry).toMatchObject({ prog_ids: [program.id], map_ids: [map.id] });
      const users = (await listed(btfId))?.users;
      expect(users).toEqual({
        programs: [program],
        // The types of keys and values that btf-user.py names.
        maps: [{ ...map, keyTypeId: 1, valueTypeId: 4 }],
        processes: expect.arrayContaining([{ pid, command }]),
      });
      // Debian's bpftool names no processes. object-list.test.ts of btfctl compares with a recorded output of one that does.
      if (entry?.pids !== undefined) expect(entry.pids).toContainEqual({ pid, comm: command });
    },
  );

  test('names each process that holds the object once, for any number of file descriptors', async () => {
    const { pid, btfId } = user.facts;
    const among = [pid, process.pid].toSorted((a, b) => a - b);
    expect(holders((await listed(btfId))?.users, among)).toEqual([pid]);
    using mine = btfGetFdById(btfId);
    using again = mine.dup();
    expect(again.info().id).toBe(btfId);
    const users = (await listed(btfId))?.users;
    expect(holders(users, among)).toEqual(among);
    const command = readFileSync('/proc/self/comm', 'utf8').trimEnd();
    expect(users?.processes).toContainEqual({ pid: process.pid, command });
  });

  test('names the daemon if a client holds the object, but not if it only lists the object', async () => {
    const { btfId } = user.facts;
    expect(holders((await listed(btfId))?.users, [daemon.pid])).toEqual([]);
    await using handle = await client.getHandleById(btfId);
    const { info } = await handle.inspect({ details: ['users', 'digest'] });
    expect(holders(info.users, [daemon.pid])).toEqual([daemon.pid]);
    expect(info.digest).toBe(sha256(await handle.rawBtf()));
  });

  test('has the requested details for handles that an iteration holds', async () => {
    const digest = sha256(readFileSync(VMLINUX_FILE));
    for await (const handle of client.iterateHandles({
      origins: ['vmlinux'],
      details: ['digest', 'users'],
    })) {
      expect(handle.info).toMatchObject({ digest, users: { programs: [], maps: [] } });
    }
  });

  test('does not name users after they are gone', async () => {
    await using other = await BtfUser.start();
    await using handle = await client.getHandleById(other.facts.btfId);
    const users = async () => (await handle.inspect({ details: ['users'] })).info.users;
    expect((await users())?.programs).toEqual([other.facts.program]);
    await other[Symbol.asyncDispose]();
    expect(holders(await users(), [other.facts.pid, daemon.pid])).toEqual([daemon.pid]);
    // The kernel frees a program and a map a moment after their last file descriptor is closed.
    await until('program and map are gone', async () => {
      const now = await users();
      return now?.programs.length === 0 && now.maps.length === 0;
    });
  });
});

needs('bpf', 'setpriv').describe('A daemon', () => {
  test('without CAP_SYS_ADMIN refuses users and returns digests', async () => {
    await using daemon = await DaemonProcess.start({ wrapper: ['setpriv', '--bounding-set=-sys_admin'] });
    await using client = new BtfClient(daemon.address);
    await using handle = await client.loadHandle(intBtf(1, 'mine'));
    expect(await reasonOf(client.listObjects({ details: ['users'] }))).toBe('DAEMON_LACKS_CAPABILITY');
    expect(await reasonOf(handle.inspect({ details: ['users'] }))).toBe('DAEMON_LACKS_CAPABILITY');
    expect((await handle.inspect({ details: ['digest'] })).info.digest).toBe(sha256(intBtf(1, 'mine')));
    const [vmlinux] = await client.listObjects({ nameGlobs: ['vmlinux'], details: ['digest'] });
    expect(vmlinux).toMatchObject({ id: 0, digest: sha256(readFileSync(VMLINUX_FILE)), users: null });
  });

  test('without CAP_SYS_PTRACE names programs, maps, and the processes that it may inspect', async () => {
    const set = '-all,+sys_admin,+bpf';
    await using user = await BtfUser.start();
    await using daemon = await DaemonProcess.start({
      wrapper: ['setpriv', `--inh-caps=${set}`, `--bounding-set=${set}`],
    });
    await using client = new BtfClient(daemon.address);
    const { btfId, pid, program, map } = user.facts;
    await using handle = await client.getHandleById(btfId);
    const { users } = (await handle.inspect({ details: ['users'] })).info;
    expect(users).toMatchObject({ programs: [program], maps: [map] });
    expect(holders(users, [pid, daemon.pid])).toEqual([daemon.pid]);
  });
});
