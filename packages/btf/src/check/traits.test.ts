import { expect, test } from '@jest/globals';
import type { Spec } from '../spec.js';
import { smallKernel } from '../testing/small-kernel.js';
import { argumentWords, kernelTraits } from './traits.js';

const OLD = smallKernel({ withoutValues: ['BPF_FUNC_probe_read_kernel'] });
const NEW = smallKernel({
  withoutEnums: ['bpf_func_id'],
  more: (types) => {
    types.enum('bpf_func_id', ['BPF_FUNC_probe_read_kernel', 'BPF_FUNC_redirect_peer']);
    types.enum('bpf_cmd', ['BPF_TOKEN_CREATE']);
  },
});

const NOTHING = { readsData: false, computesXor: false, checksAllGlobals: true };
const EVERYTHING = { readsData: true, computesXor: true, checksAllGlobals: false };

test.each([
  ['an old kernel of unknown version', OLD, null, NOTHING],
  ['a new kernel of unknown version', NEW, null, EVERYTHING],
  ['a kernel with backports', NEW, 4 << 16, EVERYTHING],
  ['a kernel whose enums say nothing', OLD, (6 << 16) | (8 << 8), EVERYTHING],
])('the traits of %s', (_, spec, version, traits) => {
  expect(kernelTraits({ name: 'vmlinux', spec }, version)).toEqual(traits);
});

test('the arguments that a kernel passes', () => {
  const before = smallKernel({ withoutValues: ['BPF_NETKIT_PRIMARY'] });
  const words = (spec: Spec, version: number | null) => argumentWords({ name: 'vmlinux', spec }, version);
  expect(
    [null, (6 << 16) | (5 << 8), (6 << 16) | (6 << 8), 7 << 16].map((version) => words(before, version)),
  ).toEqual([6, 6, 8, 12]);
  expect([words(smallKernel(), null), words(smallKernel(), 7 << 16)]).toEqual([8, 12]);
});
