import { expect, test } from '@jest/globals';
import { vmlinuxAndModule, intBtf } from '../testing/btf-bytes.js';
import { SpecCache } from './spec-cache.js';

const MIB = 1024 * 1024;
const { vmlinux, module } = vmlinuxAndModule();
const VMLINUX = { digest: 'vmlinux', bytes: vmlinux };
const MODULE = { digest: 'module', bytes: module };

test('BTF is parsed once, split BTF once for each base', () => {
  const cache = new SpecCache(MIB);
  const base = cache.get(VMLINUX, null);
  expect(cache.get({ ...VMLINUX }, null)).toBe(base);
  const split = cache.get(MODULE, VMLINUX);
  expect(split).toMatchObject({ firstTypeId: 2, base });
  expect(cache.get(MODULE, VMLINUX)).toBe(split);
  expect(cache.get(MODULE, { digest: 'other', bytes: vmlinux.slice() })).not.toBe(split);
});

test('The least recently used BTF is parsed again after it is evicted', () => {
  const cache = new SpecCache(500_000);
  const big = (digest: string) => ({ digest, bytes: intBtf('x'.repeat(100_000)) });
  const [a, b] = [cache.get(big('a'), null), cache.get(big('b'), null)];
  expect(cache.get(big('a'), null)).toBe(a);
  cache.get(big('c'), null);
  expect(cache.get(big('a'), null)).toBe(a);
  expect(cache.get(big('b'), null)).not.toBe(b);
});
