import { readFileSync, readdirSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { DelegatedBpffs, needs } from 'test-tools';
import { Feature, Mode, Operation } from '@btfd/api';
import { status } from '@grpc/grpc-js';
import { DaemonProcess } from './testing/daemon-process.js';
import { errorInfoOf, failureOf, RawClient } from './testing/raw-client.js';
import { intBtf } from './testing/sample-btf.js';

const LOAD = '0x40000';
const LOAD_AND_OPEN = '0xc0000';
/** The first object that the kernel loads is its own BTF. */
const VMLINUX_ID = 1;

needs('bpf-token', 'gcc', 'setpriv', 'unshare').describe('btfd --bpf-token in a user namespace', () => {
  let bpffs: DelegatedBpffs;
  beforeAll(() => {
    bpffs = new DelegatedBpffs();
  });
  afterAll(() => bpffs[Symbol.dispose]());

  const start = async (delegateCmds: string, inside: readonly string[] = []) =>
    DaemonProcess.start({
      wrapper: [...bpffs.wrapper(delegateCmds), ...inside],
      args: ['--bpf-token', bpffs.folder],
    });
  const load = async (client: RawClient) =>
    client.call('loadHandle', { source: { case: 'rawBtf', value: intBtf(1, 'token') } });
  const reasons = async (client: RawClient) => {
    const { mode, operations } = await client.call('getServerInfo', {});
    return {
      mode,
      operations: new Map(operations.map(({ operation, reason }) => [operation, reason])),
    };
  };

  test('loads BTF, probes features and refuses BTF with the log of the kernel', async () => {
    await using daemon = await start(LOAD);
    using client = new RawClient(daemon.address);
    const { result } = await load(client);
    expect(result).toMatchObject({ case: 'handle', value: { info: { size: intBtf(1, 'token').length } } });
    expect(daemon.btfFds()).toBe(1);
    const { features } = await client.call('getServerInfo', {});
    expect(features.find(({ feature }) => feature === Feature.BTF)?.supported).toBe(true);
    const bad = intBtf(1, 'token').fill(9, 2, 3);
    const refused = await client.call('loadHandle', {
      source: { case: 'rawBtf', value: bad },
      reportRejection: true,
    });
    expect(refused.result).toMatchObject({
      case: 'rejection',
      value: { log: { text: expect.stringContaining('Unsupported version') } },
    });
  });

  test('lists by name and says why it lists no ids, and what the bpffs would have to delegate', async () => {
    await using daemon = await start(LOAD);
    using client = new RawClient(daemon.address);
    const { mode, operations } = await reasons(client);
    expect(mode).toBe(Mode.LOAD_AND_FILES);
    expect(operations.get(Operation.LOAD)).toBe('');
    expect(operations.get(Operation.LIST_IDS)).toContain('takes no BPF token for BPF_BTF_GET_NEXT_ID');
    // Linux before 6.15 takes no token, whatever is delegated.
    expect(operations.get(Operation.OPEN_BY_ID)).toMatch(/mount it with delegate_cmds=0xc0000|Linux 6\.15/);
    const names: string[] = [];
    for await (const { info } of client.stream('iterateHandles', {})) names.push(info?.name ?? '');
    expect(names.toSorted()).toEqual(readdirSync('/sys/kernel/btf').toSorted());
    const error = await failureOf(client.call('getHandleById', { id: VMLINUX_ID }));
    expect(error.details).toBe(operations.get(Operation.OPEN_BY_ID));
    expect(daemon.log.text).toContain('not available: by id');
  });

  test('opens objects by id, if the bpffs delegates that and the kernel takes tokens for it', async () => {
    await using daemon = await start(LOAD_AND_OPEN);
    using client = new RawClient(daemon.address);
    const { operations } = await reasons(client);
    if (operations.get(Operation.OPEN_BY_ID) !== '') {
      expect(operations.get(Operation.OPEN_BY_ID)).toContain('Linux 6.15');
      return;
    }
    const { handle } = await client.call('getHandleById', { id: VMLINUX_ID });
    expect(handle?.info).toMatchObject({ id: VMLINUX_ID, name: 'vmlinux', isKernel: true, removed: false });
    const chunks: Uint8Array[] = [];
    for await (const { part } of client.stream('spec', { source: { case: 'id', value: VMLINUX_ID } })) {
      if (part.case === 'raw') chunks.push(part.value);
    }
    expect(Buffer.concat(chunks).equals(readFileSync('/sys/kernel/btf/vmlinux'))).toBe(true);
    const missing = await failureOf(client.call('getHandleById', { id: 2 ** 31 - 1 }));
    expect([missing.code, errorInfoOf(missing).reason]).toEqual([status.NOT_FOUND, 'BTF_ID_NOT_FOUND']);
    expect(daemon.log.text).toContain('not available: listing ids');
  });

  test('needs CAP_SYS_ADMIN in its namespace to open objects, and CAP_BPF alone to load', async () => {
    const only = ['setpriv', '--inh-caps=-all', '--bounding-set=-all,+bpf'];
    await using daemon = await start(LOAD_AND_OPEN, only);
    using client = new RawClient(daemon.address);
    expect((await load(client)).result.case).toBe('handle');
    expect((await reasons(client)).operations.get(Operation.OPEN_BY_ID)).toMatch(
      /lacks CAP_SYS_ADMIN in its user namespace|Linux 6\.15/,
    );
  });

  test.each<[string, string, readonly string[], string]>([
    ['nothing is delegated', '0', [], 'delegates nothing: mount it with delegate_cmds=0x40000'],
    ['loading is not delegated', '0x1', [], 'does not delegate BPF_BTF_LOAD: mount it with'],
    ['it lacks CAP_BPF', LOAD, ['setpriv', '--inh-caps=-bpf', '--bounding-set=-bpf'], 'run it with CAP_BPF'],
    [
      'the bpffs is of another namespace',
      LOAD,
      ['unshare', '--user', '--map-root-user'],
      'belongs to another user namespace than the daemon',
    ],
  ])('does not start if %s, and says what to do', async (_, delegateCmds, inside, message) => {
    await expect(start(delegateCmds, inside)).rejects.toThrow(message);
  });

  test('does not start in the initial user namespace, and says that capabilities are enough', async () => {
    const mounted = 'mount -t bpf bpf "$0" && exec "$@"';
    const wrapper = ['unshare', '--mount', 'sh', '-c', mounted, bpffs.folder];
    const args = ['--bpf-token', bpffs.folder];
    await expect(DaemonProcess.start({ wrapper, args })).rejects.toThrow('remove bpf-token');
  });

  test.each<[string, string[], string]>([
    ['of another file system', ['--bpf-token', '/'], 'it is not the top folder of a bpffs'],
    ['that is missing', ['--bpf-token', '/no/such/folder'], '/no/such/folder'],
  ])('does not start with a folder %s', async (_, args, message) => {
    await expect(DaemonProcess.start({ args })).rejects.toThrow(message);
  });
});
