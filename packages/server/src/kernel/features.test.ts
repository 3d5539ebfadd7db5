import { describe, expect, test } from '@jest/globals';
import { Feature } from '@btfd/api';
import { bpfError, FakeKernel, isKnownTo54, OldKernel } from '../testing/fake-kernel.js';
import { KernelFeatures } from './features.js';

describe('KernelFeatures', () => {
  test('has every feature and replaces nothing if the kernel accepts every probe', async () => {
    const kernel = new FakeKernel();
    const features = new KernelFeatures(kernel);
    expect([...(await features.all()).values()]).toEqual(Array.from({ length: 7 }, () => true));
    expect(await features.marshalOptions()).toEqual({
      stripFuncLinkage: false,
      replaceDeclTags: false,
      replaceTypeTags: false,
      replaceEnum64: false,
      preventNoTypeFound: true,
    });
    expect(kernel.openCount).toBe(0);
  });

  test('lacks the features of later kernels, and replaces these', async () => {
    const features = new KernelFeatures(new OldKernel(isKnownTo54));
    expect(Object.fromEntries(await features.all())).toEqual({
      [Feature.BTF]: true,
      [Feature.FUNC]: true,
      [Feature.VAR]: true,
      [Feature.FUNC_LINKAGE]: false,
      [Feature.DECL_TAG]: false,
      [Feature.TYPE_TAG]: false,
      [Feature.ENUM64]: false,
    });
    expect(await features.marshalOptions()).toMatchObject({ stripFuncLinkage: true, replaceEnum64: true });
  });

  test('tries each feature once, also for simultaneous callers', async () => {
    const kernel = new FakeKernel();
    const features = new KernelFeatures(kernel);
    await Promise.all([features.all(), features.all()]);
    await features.all();
    expect(kernel.loads.length).toBe(7);
  });

  test('tries an inconclusive probe again', async () => {
    const kernel = new FakeKernel();
    const features = new KernelFeatures(kernel);
    kernel.failures.load = bpfError('BPF_BTF_LOAD', 'ENOMEM');
    expect((await features.all()).size).toBe(0);
    expect(await features.marshalOptions()).toMatchObject({ replaceEnum64: false });
    delete kernel.failures.load;
    expect((await features.all()).size).toBe(7);
  });
});
