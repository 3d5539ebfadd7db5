import { afterAll, beforeAll, expect } from '@jest/globals';
import { needs } from 'test-tools';
import { PINNED_PROGRAMS } from 'test-tools/pinned-objects';
import { seeded } from 'test-tools/random';
import { kernels } from '../testing/corpus.js';
import { debianObjects } from '../testing/debian-objects.js';
import { MinimalComparison } from '../testing/minimal-comparison.js';

needs('gcc', 'libbpf 1.7', 'root').describe('minimal BTF', () => {
  let comparison: MinimalComparison;
  beforeAll(() => {
    comparison = new MinimalComparison();
  });
  afterAll(() => comparison.close());

  needs('bpftool', 'debian-objects', 'debian-kernels').test(
    'relocates Debian’s objects for Debian’s kernel as the BTF of that does, and is not larger than bpftool’s',
    () => {
      const [kernel] = kernels('kernels');
      if (kernel === undefined) throw new Error('no BTF of a kernel');
      const { ours } = comparison.compareObjects(kernel.vmlinux, debianObjects(PINNED_PROGRAMS));
      expect(ours).toBeGreaterThan(1000);
    },
  );

  needs().test('relocates random objects as the BTF of their kernel does', () => {
    expect(comparison.compareRandom(seeded(31), 25)).toBeGreaterThan(50);
  });
});
