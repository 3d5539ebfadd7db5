import { describe, expect, test } from '@jest/globals';
import { Feature, FeatureSchema } from '@btfd/api';
import { FEATURE_ROWS, kernelFeaturesOf } from '@btfd/btf';
import { bpfError, FakeKernel, OldKernel } from '../testing/fake-kernel.js';
import { KernelFeatures } from './features.js';

/** Every feature of the contract. */
const COUNT = FeatureSchema.values.length - 1;

describe('KernelFeatures', () => {
  test.each([
    [5, 4],
    [5, 10],
    [6, 1],
    [6, 12],
    [6, 18],
    [7, 1],
    [7, 2],
  ])('finds the features of Linux %d.%d', async (major, minor) => {
    const kernel = new OldKernel(kernelFeaturesOf(major, minor));
    const features = new KernelFeatures(kernel);
    const { wideVlen, largestKind, ...expected } = kernelFeaturesOf(major, minor);
    expect(await features.forBtf()).toEqual(expected);
    expect([wideVlen, largestKind]).toEqual([major === 7 && minor >= 2, expect.any(Number)]);
    expect(kernel.openCount).toBe(0);
  });

  test('reports every feature of the contract, with BTF first', async () => {
    const all = await new KernelFeatures(new OldKernel(kernelFeaturesOf(6, 18))).all();
    expect(all.size).toBe(COUNT);
    expect([...all.keys()][0]).toBe(Feature.BTF);
    expect([Feature.BTF, Feature.ENUM64, Feature.LAYOUT].map((feature) => all.get(feature))).toEqual([
      true,
      true,
      false,
    ]);
  });

  test('tries each feature once, also for simultaneous callers', async () => {
    const kernel = new OldKernel(kernelFeaturesOf(7, 2));
    const features = new KernelFeatures(kernel);
    await Promise.all([features.all(), features.all()]);
    await features.all();
    const accepted = [...FEATURE_ROWS.values()].filter(
      ({ probe }) => probe !== null && probe.refusedWith === undefined,
    );
    expect(kernel.loads.length).toBe(1 + accepted.length);
  });

  test('tries an inconclusive probe again', async () => {
    const kernel = new FakeKernel();
    const features = new KernelFeatures(kernel);
    kernel.failures.load = bpfError('BPF_BTF_LOAD', 'ENOMEM');
    expect((await features.all()).size).toBe(0);
    expect(await features.forBtf()).toEqual({});
    delete kernel.failures.load;
    expect((await features.all()).size).toBe(COUNT);
  });
});
