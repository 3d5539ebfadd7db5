import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import type { Spec } from '../spec.js';
import { kernels, readSpec } from '../testing/corpus.js';
import { Libbpf } from '../testing/libbpf.js';
import { sortTypes } from './sort.js';

needs('gcc', 'libbpf 1.7', 'debian-kernels').describe(
  'sortTypes writes the bytes of the build of Linux 7.0',
  () => {
    let libbpf: Libbpf;
    let base: Spec;
    let modules: Spec[];

    beforeAll(() => {
      const [kernel] = kernels('kernels');
      if (kernel === undefined) throw new Error('no BTF of a kernel');
      libbpf = new Libbpf();
      base = readSpec(kernel.vmlinux);
      modules = ['bonding', 'xfs'].map((name) => readSpec(kernel.path(name), base));
    });
    afterAll(() => libbpf.close());

    test('for vmlinux', () => {
      expect(Buffer.compare(sortTypes(base).bytes, libbpf.sortByName(base.bytes))).toBe(0);
    });

    test('for modules, whose ids continue those of vmlinux', () => {
      for (const module of modules) {
        const ours = sortTypes(module).bytes;
        expect(Buffer.compare(ours, libbpf.sortByName(module.bytes, base.bytes))).toBe(0);
        expect(Buffer.compare(ours, module.bytes)).not.toBe(0);
      }
    });
  },
);
