import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { Mode, Operation, Origin, type HandleInfo } from '@btfd/api';
import { status } from '@grpc/grpc-js';
import { btfctl } from './testing/btfctl.js';
import { DaemonProcess, type DaemonProcessOptions } from './testing/daemon-process.js';
import { errorInfoOf, failureOf, RawClient } from './testing/raw-client.js';
import { intBtf } from './testing/sample-btf.js';

const SYSFS_VMLINUX = '/sys/kernel/btf/vmlinux';

/** A command that runs another one, which bpf(2) refuses although it has all capabilities. */
const FORBIDDEN = ['python3', fileURLToPath(new URL('testing/forbid-bpf.py', import.meta.url))];

const WITHOUT = {
  'CAP_SYS_ADMIN alone': ['setpriv', '--inh-caps=-all', '--bounding-set=-all,+sys_admin'],
  'CAP_BPF alone': ['setpriv', '--bounding-set=-sys_admin'],
  'no capability': ['setpriv', '--bounding-set=-sys_admin,-bpf'],
} as const;

needs('bpf', 'setpriv').describe('the daemon', () => {
  async function rawOf(client: RawClient, name: string): Promise<Buffer> {
    const chunks: Uint8Array[] = [];
    for await (const { part } of client.stream('spec', { source: { case: 'name', value: name } })) {
      if (part.case === 'raw') chunks.push(part.value);
    }
    return Buffer.concat(chunks);
  }

  async function infosOf(client: RawClient): Promise<(HandleInfo | undefined)[]> {
    const infos: (HandleInfo | undefined)[] = [];
    for await (const { info } of client.stream('iterateHandles', {})) infos.push(info);
    return infos;
  }

  async function operationsOf(client: RawClient): Promise<[Mode, Record<string, boolean>]> {
    const { mode, operations } = await client.call('getServerInfo', {});
    for (const { available, reason } of operations) expect(reason === '').toBe(available);
    return [mode, Object.fromEntries(operations.map((row) => [Operation[row.operation], row.available]))];
  }

  const codeAndReason = async (call: Promise<unknown>) => {
    const error = await failureOf(call);
    return [error.code, errorInfoOf(error).reason];
  };
  const load = (client: RawClient) =>
    client.call('loadHandle', { source: { case: 'rawBtf', value: intBtf(1, 'mode') } });
  const drain = async (stream: AsyncIterable<unknown>) => {
    for await (const answer of stream) void answer;
  };
  const LACKS = [status.PERMISSION_DENIED, 'DAEMON_LACKS_CAPABILITY'];
  const UNAVAILABLE = [status.FAILED_PRECONDITION, 'OPERATION_UNAVAILABLE'];

  test.each([
    ['root', []],
    ['root with CAP_SYS_ADMIN alone', WITHOUT['CAP_SYS_ADMIN alone']],
  ])('supports every operation as %s', async (_, wrapper) => {
    await using daemon = await DaemonProcess.start({ wrapper });
    using client = new RawClient(daemon.address);
    const all = { LOAD: true, OPEN_BY_ID: true, LIST_IDS: true, SPEC_BY_NAME: true, HOLD_KERNEL: true };
    expect(await operationsOf(client)).toEqual([Mode.FULL, all]);
  });

  test('with all capabilities and a filter of bpf(2) says that it lacks none, as btfctl does', async () => {
    await using daemon = await DaemonProcess.start({ wrapper: FORBIDDEN });
    const { status: exit, stderr } = await btfctl(['load', SYSFS_VMLINUX], { BTFD_ADDRESS: daemon.address });
    expect([exit, stderr]).toEqual([
      7,
      expect.stringMatching(
        /refused BPF_BTF_LOAD with EPERM, although the daemon has CAP_SYS_ADMIN: .*\nhint: allow bpf\(2\)/,
      ),
    ]);
    expect(stderr).not.toContain('lacks');
    using client = new RawClient(daemon.address);
    expect((await client.call('getServerInfo', {})).capabilities).toMatchObject({
      sysAdmin: true,
      bpf: true,
    });
  });

  needs('unshare').test(
    'as root of a user namespace says that this is not root for bpf(2), as btfctl does',
    async () => {
      await using daemon = await DaemonProcess.start({ wrapper: ['unshare', '--user', '--map-root-user'] });
      using client = new RawClient(daemon.address);
      const error = await failureOf(load(client));
      expect(errorInfoOf(error).reason).toBe('DAEMON_LACKS_CAPABILITY');
      expect(error.details).toMatch(
        /^the daemon lacks CAP_BPF in the initial user namespace, and runs in another/,
      );
      const file = join(mkdtempSync(join(tmpdir(), 'btfd-mode-')), 'a.btf');
      writeFileSync(file, intBtf(1, 'mode'));
      const { status: exit, stderr } = await btfctl(['load', file], { BTFD_ADDRESS: daemon.address });
      expect([exit, stderr]).toEqual([
        7,
        expect.stringMatching(/\nhint: in a user namespace root has no rights/),
      ]);
      expect(stderr).not.toContain('as root');
      rmSync(dirname(file), { recursive: true });
    },
  );

  test('with CAP_BPF alone loads BTF, lists objects by name with id 0, and serves their specs', async () => {
    await using daemon = await DaemonProcess.start({ wrapper: WITHOUT['CAP_BPF alone'] });
    using client = new RawClient(daemon.address);
    expect(await operationsOf(client)).toEqual([
      Mode.LOAD_AND_FILES,
      { LOAD: true, OPEN_BY_ID: false, LIST_IDS: false, SPEC_BY_NAME: true, HOLD_KERNEL: false },
    ]);
    const infos = await infosOf(client);
    expect(infos.map((info) => info?.name ?? '').toSorted()).toEqual(
      readdirSync('/sys/kernel/btf').toSorted(),
    );
    expect(infos[0]).toMatchObject({ id: 0, name: 'vmlinux', origin: Origin.VMLINUX, isKernel: true });
    expect((await rawOf(client, 'vmlinux')).equals(readFileSync(SYSFS_VMLINUX))).toBe(true);
    const { result } = await load(client);
    expect(result.case).toBe('handle');
    expect(await codeAndReason(client.call('getHandleById', { id: 1 }))).toEqual(LACKS);
    expect(await codeAndReason(drain(client.stream('iterateHandles', { hold: true })))).toEqual(LACKS);
    expect(await codeAndReason(drain(client.stream('iterateHandles', { afterId: 1 })))).toEqual(LACKS);
  });

  test('without capabilities serves specs, and refuses other calls before it checks their requests', async () => {
    await using daemon = await DaemonProcess.start({ wrapper: WITHOUT['no capability'] });
    using client = new RawClient(daemon.address);
    expect(await operationsOf(client)).toEqual([
      Mode.FILES,
      { LOAD: false, OPEN_BY_ID: false, LIST_IDS: false, SPEC_BY_NAME: true, HOLD_KERNEL: false },
    ]);
    expect((await rawOf(client, 'vmlinux')).equals(readFileSync(SYSFS_VMLINUX))).toBe(true);
    expect(await codeAndReason(load(client))).toEqual(LACKS);
    expect(await codeAndReason(client.call('loadHandle', {}))).toEqual(LACKS);
    expect(await codeAndReason(client.call('getHandleById', { id: 1 }))).toEqual(LACKS);
    const error = await failureOf(load(client));
    expect(error.details).toContain('CAP_BPF');
  });

  test.each<[string, DaemonProcessOptions, string]>([
    ['without CAP_SYS_ADMIN', { wrapper: WITHOUT['CAP_BPF alone'] }, 'the daemon lacks CAP_SYS_ADMIN: '],
    ['with --btf-dir', { args: ['--btf-dir', '/sys/kernel/btf'] }, 'the daemon serves the folder '],
  ])('%s has btfctl say why it does not know an id', async (_, options, why) => {
    await using daemon = await DaemonProcess.start(options);
    const run = (...args: string[]) => btfctl(args, { BTFD_ADDRESS: daemon.address });
    for (const args of [['5'], ['vmlinux', 'id:5']]) {
      const { status: code, stdout, stderr } = await run('list', ...args);
      expect({ code, stdout }).toEqual({ code: 7, stdout: '' });
      expect(stderr).toMatch(`btfctl: id:5 cannot be looked up: ${why}`);
      expect(stderr).toMatch(
        /^hint: use a name: `btfctl list` lists the objects; `btfctl info` shows what the daemon can do, and why not the rest$/m,
      );
    }
    expect((await run('list')).stdout).toMatch(/^ *- +vmlinux /m);
    expect(await run('list', 'vmlinux', '-o', 'name')).toMatchObject({ status: 0, stdout: 'vmlinux\n' });
    expect((await run('info')).stdout).toContain(why);
    // A daemon that cannot look up ids knows its names.
    expect((await run('list', 'nosuch')).stderr).toContain('no BTF object matches nosuch\n');
  });

  test('with --btf-dir serves the current files of the folder, and nothing of the kernel', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'btf-dir-'));
    try {
      cpSync(SYSFS_VMLINUX, join(dir, 'vmlinux'));
      writeFileSync(join(dir, 'broken'), 'no BTF');
      await using daemon = await DaemonProcess.start({ args: ['--btf-dir', dir] });
      using client = new RawClient(daemon.address);
      const files = {
        LOAD: false,
        OPEN_BY_ID: false,
        LIST_IDS: false,
        SPEC_BY_NAME: true,
        HOLD_KERNEL: false,
      };
      expect(await operationsOf(client)).toEqual([Mode.FILES, files]);
      expect((await infosOf(client)).map((info) => [info?.id, info?.name])).toEqual([
        [0, 'vmlinux'],
        [0, 'broken'],
      ]);
      expect((await rawOf(client, 'vmlinux')).equals(readFileSync(SYSFS_VMLINUX))).toBe(true);
      expect(await codeAndReason(rawOf(client, 'broken'))).toEqual([status.DATA_LOSS, 'BTF_UNDECODABLE']);
      writeFileSync(join(dir, 'broken'), intBtf(1, 'mended'));
      expect((await rawOf(client, 'broken')).equals(Buffer.from(intBtf(1, 'mended')))).toBe(true);
      expect(await codeAndReason(rawOf(client, 'dummy'))).toEqual([status.NOT_FOUND, 'NAME_NOT_FOUND']);
      expect(await codeAndReason(load(client))).toEqual(UNAVAILABLE);
      expect(await codeAndReason(client.call('getHandleById', { id: 1 }))).toEqual(UNAVAILABLE);
      rmSync(join(dir, 'vmlinux'));
      expect(await codeAndReason(rawOf(client, 'vmlinux'))).toEqual([
        status.FAILED_PRECONDITION,
        'KERNEL_WITHOUT_BTF',
      ]);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
