import { afterAll, beforeAll, expect } from '@jest/globals';
import { needs } from 'test-tools';
import { seeded } from 'test-tools/random';
import { kernels } from '../testing/corpus.js';
import { allDebianObjects } from '../testing/debian-objects.js';
import { MinimalComparison } from '../testing/minimal-comparison.js';

needs('gcc', 'libbpf 1.7', 'root').describe('minimal BTF', () => {
  let comparison: MinimalComparison;
  beforeAll(() => {
    comparison = new MinimalComparison();
  });
  afterAll(() => comparison.close());

  const targets = [
    ...kernels('corpus').map(({ release, vmlinux }) => [release, vmlinux] as const),
    ['the running kernel', '/sys/kernel/btf/vmlinux'] as const,
  ];

  needs('bpftool', 'all-debian-objects', 'vmlinux').test.each(targets)(
    'relocates all of Debian’s objects for %s as its BTF does, and is not larger than bpftool’s',
    (_, path) => {
      expect(comparison.compareObjects(path, allDebianObjects()).ours).toBeGreaterThan(1000);
    },
  );

  needs().test('relocates many random objects as the BTF of their kernel does', () => {
    expect(comparison.compareRandom(seeded(37), 600)).toBeGreaterThan(1000);
  });
});
