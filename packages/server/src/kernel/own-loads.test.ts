import { expect, test } from '@jest/globals';
import { intBtf } from '../testing/btf-bytes.js';
import { bpfError, FakeKernel } from '../testing/fake-kernel.js';
import { OwnLoads } from './own-loads.js';

const infoOf = (id: number, kernelBtf = false) => ({ id, name: '', kernelBtf, size: 1 });

test('Only objects that the daemon loaded for itself are its own', async () => {
  const kernel = new FakeKernel();
  const own = new OwnLoads(kernel);
  const others = (await kernel.load(intBtf(), 0)).info();
  const object = await own.load(intBtf(), 0);
  expect(own.mayBeOwn(object.info())).toBe(true);
  expect(own.mayBeOwn(others)).toBe(false);
  // Another process may keep it in the list for a while.
  const info = object.info();
  object.close();
  expect(own.mayBeOwn(info)).toBe(true);
});

test('During such a load any user’s object may be its own, but none of the kernel’s', async () => {
  const kernel = new FakeKernel();
  const own = new OwnLoads(kernel);
  const loading = own.load(intBtf(), 0);
  expect([own.mayBeOwn(infoOf(7)), own.mayBeOwn(infoOf(7, true))]).toEqual([true, false]);
  await loading;
  expect(own.mayBeOwn(infoOf(7))).toBe(false);
});

test.each(['load', 'info'] as const)(
  'A load whose %s fails is over, and leaves nothing open',
  async (call) => {
    const kernel = new FakeKernel();
    const own = new OwnLoads(kernel);
    kernel.failures[call] = bpfError('BPF_BTF_LOAD', 'ENOMEM');
    await expect(own.load(intBtf(), 0)).rejects.toThrow('ENOMEM');
    expect(own.mayBeOwn(infoOf(7))).toBe(false);
    expect(kernel.openCount).toBe(0);
  },
);
