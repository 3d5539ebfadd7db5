import { describe, expect, test } from '@jest/globals';
import { ErrorReason, Mode, Operation } from '@btfd/api';
import { BpfUnavailableError } from '@btfd/native';
import { Spec } from '@btfd/btf';
import { intBtf } from '../testing/btf-bytes.js';
import { bpfError, FakeKernel } from '../testing/fake-kernel.js';
import { reasonOf } from '../testing/service-error.js';
import { filesOnly, probeAccess } from './access.js';

const { DAEMON_LACKS_CAPABILITY, KERNEL_LACKS_SUPPORT, OPERATION_UNAVAILABLE } = ErrorReason;
const load = (code: string) => bpfError('BPF_BTF_LOAD', code);
const ids = (code: string) => bpfError('BPF_BTF_GET_NEXT_ID', code);
const open = (code: string) => bpfError('BPF_BTF_GET_FD_BY_ID', code);

interface Case {
  readonly failures: FakeKernel['failures'];
  readonly mode: Mode;
  /** The reasons why an operation does not work, or null. */
  readonly refusals: readonly [load: ErrorReason | null, open: ErrorReason | null, list: ErrorReason | null];
}

const CASES: Readonly<Record<string, Case>> = {
  'all capabilities': { failures: {}, mode: Mode.FULL, refusals: [null, null, null] },
  'CAP_BPF alone': {
    failures: { nextId: ids('EPERM'), open: open('EPERM') },
    mode: Mode.LOAD_AND_FILES,
    refusals: [null, DAEMON_LACKS_CAPABILITY, DAEMON_LACKS_CAPABILITY],
  },
  'no capability': {
    failures: { load: load('EPERM'), nextId: ids('EPERM'), open: open('EPERM') },
    mode: Mode.FILES,
    refusals: [DAEMON_LACKS_CAPABILITY, DAEMON_LACKS_CAPABILITY, DAEMON_LACKS_CAPABILITY],
  },
  'a filter that says EACCES': {
    failures: { load: load('EACCES'), nextId: ids('EACCES'), open: open('EACCES') },
    mode: Mode.FILES,
    refusals: [DAEMON_LACKS_CAPABILITY, DAEMON_LACKS_CAPABILITY, DAEMON_LACKS_CAPABILITY],
  },
  'a kernel that knows no BTF': {
    failures: { load: load('EINVAL'), nextId: ids('EINVAL'), open: open('EINVAL') },
    mode: Mode.FILES,
    refusals: [KERNEL_LACKS_SUPPORT, KERNEL_LACKS_SUPPORT, KERNEL_LACKS_SUPPORT],
  },
  'a kernel that loads BTF and lists no ids': {
    failures: { nextId: ids('EINVAL') },
    mode: Mode.LOAD_AND_FILES,
    refusals: [null, null, KERNEL_LACKS_SUPPORT],
  },
  'a BPF token that opens objects': {
    failures: { nextId: ids('EPERM') },
    mode: Mode.LOAD_AND_FILES,
    refusals: [null, null, DAEMON_LACKS_CAPABILITY],
  },
  'a kernel without bpf(2)': {
    failures: { load: load('ENOSYS'), nextId: ids('ENOSYS'), open: open('ENOSYS') },
    mode: Mode.FILES,
    refusals: [KERNEL_LACKS_SUPPORT, KERNEL_LACKS_SUPPORT, KERNEL_LACKS_SUPPORT],
  },
  'no addon': {
    failures: {
      load: new BpfUnavailableError('not built', null),
      nextId: new BpfUnavailableError('not built', null),
      open: new BpfUnavailableError('not built', null),
    },
    mode: Mode.FILES,
    refusals: [KERNEL_LACKS_SUPPORT, KERNEL_LACKS_SUPPORT, KERNEL_LACKS_SUPPORT],
  },
};

const VMLINUX_FILE = {
  dir: '/sys/kernel/btf',
  findNow: (name: string) => ({ name, size: 1, identity: name }),
};

describe('Access', () => {
  test.each(Object.entries(CASES))('with %s', async (_, { failures, mode, refusals }) => {
    const kernel = new FakeKernel();
    Object.assign(kernel.failures, failures);
    const access = await probeAccess(kernel, VMLINUX_FILE);
    const reason = (operation: Operation) => access.refusal(operation)?.reason ?? null;
    expect(access.mode).toBe(mode);
    expect([reason(Operation.LOAD), reason(Operation.OPEN_BY_ID), reason(Operation.LIST_IDS)]).toEqual(
      refusals,
    );
    expect(reason(Operation.SPEC_BY_NAME)).toBeNull();
    expect(kernel.openCount).toBe(0);
  });

  test('to a folder of files refuses everything that needs the kernel', async () => {
    const access = filesOnly('/srv/btf');
    expect(access.mode).toBe(Mode.FILES);
    for (const operation of [Operation.LOAD, Operation.OPEN_BY_ID, Operation.LIST_IDS]) {
      expect(access.refusal(operation)).toMatchObject({
        reason: OPERATION_UNAVAILABLE,
        metadata: { operation: Operation[operation] },
      });
      expect(access.refusal(operation)?.message).toContain('/srv/btf');
      expect(await reasonOf(() => access.require(operation))).toBe(OPERATION_UNAVAILABLE);
    }
    expect(() => access.require(Operation.SPEC_BY_NAME)).not.toThrow();
  });

  test.each<[string, FakeKernel['failures']]>([
    ['no memory to load', { load: load('ENOMEM') }],
    ['no file descriptors to load', { load: load('EMFILE') }],
    ['no memory to list ids', { nextId: ids('ENOMEM') }],
    ['no memory to open by id', { nextId: ids('EPERM'), open: open('ENOMEM') }],
    ['an unforeseen error', { nextId: ids('EIO') }],
  ])('is not decided by a transient failure: %s', async (_, failures) => {
    const kernel = new FakeKernel();
    Object.assign(kernel.failures, failures);
    await expect(probeAccess(kernel, VMLINUX_FILE)).rejects.toMatchObject({ name: 'BpfError' });
    expect(kernel.openCount).toBe(0);
  });

  test.each<[string, boolean, string[], ErrorReason | null]>([
    ['a file of vmlinux', true, [], null],
    ['an id of vmlinux and no sysfs', false, ['xfs', 'vmlinux'], null],
    ['neither', false, ['xfs'], ErrorReason.KERNEL_WITHOUT_BTF],
  ])('by name needs BTF of the kernel: %s', async (_, hasFile, names, expected) => {
    const kernel = new FakeKernel();
    for (const name of names) kernel.add(name, intBtf());
    const files = { ...VMLINUX_FILE, findNow: hasFile ? VMLINUX_FILE.findNow : () => null };
    const refusal = (await probeAccess(kernel, files)).refusal(Operation.SPEC_BY_NAME);
    expect(refusal?.reason ?? null).toBe(expected);
    if (refusal !== null) expect(refusal.message).toContain('/sys/kernel/btf');
    expect(kernel.openCount).toBe(0);
  });

  test('is probed with valid BTF', async () => {
    const kernel = new FakeKernel();
    await probeAccess(kernel, VMLINUX_FILE);
    expect(kernel.loads.map(({ logSize }) => logSize)).toEqual([0]);
    expect([...Spec.parse(kernel.loads[0]?.bytes ?? new Uint8Array())]).toMatchObject([
      { kind: 'INT', size: 4 },
    ]);
  });
});
