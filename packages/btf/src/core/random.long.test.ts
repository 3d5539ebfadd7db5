import { afterAll, beforeAll, expect } from '@jest/globals';
import { needs } from 'test-tools';
import { seeded } from 'test-tools/random';
import { LibbpfRelocations } from '../testing/libbpf-relocations.js';
import { comparePairs } from '../testing/compare-pairs.js';

needs('gcc', 'libbpf 1.7', 'root').describe('relocations of many random types', () => {
  let libbpf: LibbpfRelocations;
  beforeAll(() => {
    libbpf = new LibbpfRelocations();
  });
  afterAll(() => libbpf.close());

  needs('gcc', 'libbpf 1.7', 'root').test('are resolved as libbpf resolves them', () => {
    const counts = comparePairs(libbpf, seeded(29), 1000);
    // Of each kind, and of each outcome.
    expect(counts.size).toBeGreaterThan(50);
  });
});
