import { describe, expect, test } from '@jest/globals';
import { BpfError } from '@btfd/native';
import { LOADER } from '../testing/callers.js';
import { intBtf } from '../testing/btf-bytes.js';
import { collect } from '../testing/collect.js';
import { bpfError, FakeKernel } from '../testing/fake-kernel.js';
import { makeServices } from '../testing/services.js';
import { TempDir } from '../testing/temp-dir.js';
import type { ObjectList } from './object-list.js';

const VMLINUX = intBtf('vmlinux');

/** Returns the id and name of all objects. */
async function visit(objects: ObjectList, afterId = 0): Promise<[id: number, name: string][]> {
  return (await collect(objects.visit(afterId))).map(({ id, name }) => [id, name]);
}

/** A kernel with vmlinux, two modules and a user's object, with the ids 1 to 4. */
function kernelOfFour(): FakeKernel {
  const kernel = new FakeKernel();
  kernel.add('vmlinux', VMLINUX);
  kernel.add('mod_a', intBtf('a'));
  kernel.addUsers(intBtf('u'));
  kernel.add('mod_b', intBtf('b'));
  return kernel;
}

describe('Objects', () => {
  test('are visited in the order of ids, and none is left open', async () => {
    const kernel = kernelOfFour();
    const { objects } = await makeServices(kernel);
    expect((await visit(objects)).map(([id]) => id)).toEqual([1, 2, 3, 4]);
    expect(kernel.openCount).toBe(0);
  });

  test('are opened once each, however often they are listed', async () => {
    const kernel = kernelOfFour();
    const { objects } = await makeServices(kernel);
    await visit(objects);
    const { opens } = kernel;
    for (let i = 0; i < 10; i++) await visit(objects);
    const added = kernel.addUsers(intBtf('w'));
    expect((await visit(objects)).at(-1)).toEqual([added, '']);
    expect(kernel.opens).toBe(opens + 1);
  });

  test.each([
    [1, [2, 3, 4]],
    [3, [4]],
    [4, []],
    [1000, []],
  ])('after the id %i are %j', async (afterId, ids) => {
    const { objects } = await makeServices(kernelOfFour());
    expect((await visit(objects, afterId)).map(([id]) => id)).toEqual(ids);
  });

  test('are others if the kernel uses an id again', async () => {
    const kernel = new FakeKernel();
    const { objects } = await makeServices(kernel);
    kernel.nextFreeId = 7;
    const gone = kernel.add('mod_a', intBtf('a'));
    await objects.look();
    kernel.remove(gone);
    await objects.look();
    kernel.nextFreeId = 7;
    kernel.addUsers(intBtf('u'));
    expect(await visit(objects)).toEqual([[7, '']]);
    // The list follows it too.
    expect(objects.present()).toEqual([{ id: 7, name: '', kernelBtf: false, size: intBtf('u').length }]);
  });

  test('that vanish after they are listed are skipped', async () => {
    const kernel = kernelOfFour();
    kernel.vanishing.add(2).add(4);
    const { objects } = await makeServices(kernel);
    expect((await visit(objects)).map(([id]) => id)).toEqual([1, 3]);
    expect(kernel.openCount).toBe(0);
  });

  test('that leave the list after they are opened keep their id', async () => {
    const kernel = kernelOfFour();
    const { objects, specs } = await makeServices(kernel);
    kernel.leaving.add(2);
    expect(await visit(objects)).toEqual([
      [1, 'vmlinux'],
      [3, ''],
      [4, 'mod_b'],
    ]);
    // Otherwise the BTF of all such objects would be taken for one object.
    kernel.leaving.add(3).add(4);
    using users = await specs.find({ case: 'id', value: 3 }, LOADER);
    using module = await specs.find({ case: 'name', value: 'mod_b' }, LOADER);
    expect([users.info.id, module.info.id]).toEqual([3, 4]);
    expect(module.btf.bytes).toEqual(intBtf('b'));
    expect(users.btf.bytes).toEqual(intBtf('u'));
  });

  test.each(['EMFILE', 'EPERM', 'ENOMEM'])(
    'end with the kernel’s %s if an object cannot be opened',
    async (code) => {
      const kernel = kernelOfFour();
      const { objects } = await makeServices(kernel);
      expect(await visit(objects)).toHaveLength(4);
      const added = kernel.addUsers(intBtf('w'));
      kernel.failures.open = bpfError('BPF_BTF_GET_FD_BY_ID', code);
      await expect(visit(objects)).rejects.toThrow(BpfError);
      await expect(visit(objects)).rejects.toThrow(code);
      // The next look completes one that failed.
      delete kernel.failures.open;
      expect((await visit(objects)).at(-1)).toEqual([added, '']);
    },
  );

  test('end with the kernel’s error if the info of an object cannot be read, and close the object', async () => {
    const kernel = kernelOfFour();
    const { objects } = await makeServices(kernel);
    kernel.failures.info = bpfError('BPF_OBJ_GET_INFO_BY_FD', 'ENOMEM');
    await expect(visit(objects, 1)).rejects.toThrow('ENOMEM');
    expect(kernel.openCount).toBe(0);
  });
});

describe('If vmlinux has no id yet', () => {
  test('the daemon makes the kernel parse it once', async () => {
    using dir = new TempDir();
    dir.write('vmlinux', VMLINUX);
    const kernel = new FakeKernel();
    kernel.unparsedVmlinux = VMLINUX;
    kernel.addUsers(intBtf('u'));
    const { objects } = await makeServices(kernel, { dir: dir.path });
    expect((await visit(objects)).map(([, name]) => name)).toEqual(['', 'vmlinux']);
    await visit(objects);
    expect([kernel.parses, kernel.openCount]).toEqual([1, 0]);
  });

  test('but gets one without a request, the daemon does not make the kernel parse it', async () => {
    using dir = new TempDir();
    dir.write('vmlinux', VMLINUX);
    const kernel = kernelOfFour();
    const { objects } = await makeServices(kernel, { dir: dir.path });
    await visit(objects);
    expect([kernel.parses, kernel.openCount]).toEqual([0, 0]);
  });

  test.each<[string, (kernel: FakeKernel) => void]>([
    ['fails', (kernel) => (kernel.failures.parseOwnBtf = bpfError('BPF_PROG_LOAD', 'EPERM'))],
    ['does not give it one', () => {}],
  ])('and parsing %s, it is listed first, as a file with id 0', async (_, prepare) => {
    using dir = new TempDir();
    dir.write('vmlinux', VMLINUX);
    const kernel = new FakeKernel();
    prepare(kernel);
    const user = kernel.addUsers(intBtf('u'));
    const { objects } = await makeServices(kernel, { dir: dir.path });
    expect(await visit(objects)).toEqual([
      [0, 'vmlinux'],
      [user, ''],
    ]);
    const [first] = await collect(objects.visit());
    expect(first).toEqual({ id: 0, name: 'vmlinux', kernelBtf: true, size: VMLINUX.length });
    expect(kernel.openCount).toBe(0);
  });

  test('and there is no file of it, the kernel has no BTF and the daemon does not make it parse any', async () => {
    const kernel = new FakeKernel();
    const user = kernel.addUsers(intBtf('u'));
    const { objects } = await makeServices(kernel);
    expect(await visit(objects)).toEqual([[user, '']]);
    expect(kernel.parses).toBe(0);
  });
});

test('Without access to ids the objects are the files, vmlinux first, then by name, with id 0', async () => {
  using dir = new TempDir();
  for (const name of ['zram', 'vmlinux', 'btrfs', 'xfs']) dir.write(name, intBtf(name));
  const kernel = kernelOfFour();
  kernel.failures.nextId = bpfError('BPF_BTF_GET_NEXT_ID', 'EPERM');
  kernel.failures.open = bpfError('BPF_BTF_GET_FD_BY_ID', 'EPERM');
  const { objects } = await makeServices(kernel, { dir: dir.path });
  expect(await visit(objects)).toEqual([
    [0, 'vmlinux'],
    [0, 'btrfs'],
    [0, 'xfs'],
    [0, 'zram'],
  ]);
});
