import { expect } from '@jest/globals';
import { needs } from 'test-tools';
import { seeded } from 'test-tools/random';
import { compareStructs } from '../testing/compare-values.js';
import { VMLINUX } from '../testing/bpftool.js';
import { readSpec } from '../testing/corpus.js';

needs('gcc', 'libbpf 1.7', 'vmlinux').test('libbpf and we agree on values of structs of the kernel', () => {
  const { types, compared, different } = compareStructs(readSpec(VMLINUX), seeded(1), 40);
  expect(different.slice(0, 3)).toEqual([]);
  expect(types).toBeGreaterThan(100);
  expect(compared).toBeGreaterThan(types);
});
