import { describe, expect, test } from '@jest/globals';
import { BpfError } from '@btfd/native';
import { LOADER } from '../testing/callers.js';
import { intBtf } from '../testing/btf-bytes.js';
import { bpfError, FakeKernel } from '../testing/fake-kernel.js';
import { makeServices } from '../testing/services.js';
import { TempDir } from '../testing/temp-dir.js';
import type { ObjectList } from './object-list.js';

const VMLINUX = intBtf('vmlinux');

/** Returns the id and name of all objects, and closes each. */
function visit(objects: ObjectList, afterId = 0): [id: number, name: string][] {
  return [...objects.visit(afterId)].map(({ info, object }) => {
    object?.close();
    return [info.id, info.name];
  });
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
  test('are visited in the order of ids, each open until the visitor closes it', async () => {
    const kernel = kernelOfFour();
    const { objects } = await makeServices(kernel);
    const open: number[] = [];
    const ids: number[] = [];
    for (const { info, object } of objects.visit(0)) {
      open.push(kernel.openCount);
      ids.push(info.id);
      object?.close();
    }
    expect([ids, open, kernel.openCount]).toEqual([[1, 2, 3, 4], [1, 1, 1, 1], 0]);
  });

  test.each([
    [1, [2, 3, 4]],
    [3, [4]],
    [4, []],
    [1000, []],
  ])('after the id %i are %j', async (afterId, ids) => {
    const { objects } = await makeServices(kernelOfFour());
    expect(visit(objects, afterId).map(([id]) => id)).toEqual(ids);
  });

  test('that vanish after they are listed are skipped', async () => {
    const kernel = kernelOfFour();
    kernel.vanishing.add(2).add(4);
    const { objects } = await makeServices(kernel);
    expect(visit(objects).map(([id]) => id)).toEqual([1, 3]);
    expect(kernel.openCount).toBe(0);
  });

  test('that leave the list after they are opened keep their id', async () => {
    const kernel = kernelOfFour();
    const { objects, specs } = await makeServices(kernel);
    kernel.leaving.add(2);
    expect(visit(objects)).toEqual([
      [1, 'vmlinux'],
      [2, 'mod_a'],
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
      expect(visit(objects)).toHaveLength(4);
      kernel.failures.open = bpfError('BPF_BTF_GET_FD_BY_ID', code);
      expect(() => visit(objects)).toThrow(BpfError);
      expect(() => visit(objects)).toThrow(code);
    },
  );

  test('end with the kernel’s error if the info of an object cannot be read, and close the object', async () => {
    const kernel = kernelOfFour();
    const { objects } = await makeServices(kernel);
    kernel.failures.info = bpfError('BPF_OBJ_GET_INFO_BY_FD', 'ENOMEM');
    expect(() => visit(objects, 1)).toThrow('ENOMEM');
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
    expect(visit(objects).map(([, name]) => name)).toEqual(['', 'vmlinux']);
    visit(objects);
    expect([kernel.parses, kernel.openCount]).toEqual([1, 0]);
  });

  test('the daemon looks for it until it has one', async () => {
    const kernel = kernelOfFour();
    const { objects } = await makeServices(kernel);
    visit(objects);
    kernel.opens = 0;
    visit(objects);
    expect(kernel.opens).toBe(4);
  });

  test('but gets one without a request, the daemon does not make the kernel parse it', async () => {
    using dir = new TempDir();
    dir.write('vmlinux', VMLINUX);
    const kernel = kernelOfFour();
    const { objects } = await makeServices(kernel, { dir: dir.path });
    visit(objects);
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
    expect(visit(objects)).toEqual([
      [0, 'vmlinux'],
      [user, ''],
    ]);
    const [first] = objects.visit(0);
    expect(first).toEqual({
      info: { id: 0, name: 'vmlinux', kernelBtf: true, size: VMLINUX.length },
      object: null,
    });
    expect(kernel.openCount).toBe(0);
  });

  test('and there is no file of it, the kernel has no BTF and the daemon does not make it parse any', async () => {
    const kernel = new FakeKernel();
    const user = kernel.addUsers(intBtf('u'));
    const { objects } = await makeServices(kernel);
    expect(visit(objects)).toEqual([[user, '']]);
    expect(kernel.parses).toBe(0);
  });
});

test('Without access to ids the objects are the files, vmlinux first, then by name, with id 0', async () => {
  using dir = new TempDir();
  for (const name of ['zram', 'vmlinux', 'btrfs', 'xfs']) dir.write(name, intBtf(name));
  const kernel = kernelOfFour();
  kernel.failures.nextId = bpfError('BPF_BTF_GET_NEXT_ID', 'EPERM');
  const { objects } = await makeServices(kernel, { dir: dir.path });
  expect(visit(objects)).toEqual([
    [0, 'vmlinux'],
    [0, 'btrfs'],
    [0, 'xfs'],
    [0, 'zram'],
  ]);
});
