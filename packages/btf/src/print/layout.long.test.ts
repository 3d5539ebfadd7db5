import { expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { kernels, readSpec } from '../testing/corpus.js';
import { checkCounts, compareLayouts } from '../testing/pahole-layouts.js';

const CORPUS = kernels('corpus');

needs('pahole').describe('the layout of each struct and union', () => {
  test('is compared for Linux 6.1, 6.12, 6.18 and 7', () => {
    expect(CORPUS).toHaveLength(4);
  });

  test.each(CORPUS)('of $release equals pahole’s', ({ release, vmlinux }) => {
    checkCounts(release, compareLayouts(vmlinux, readSpec(vmlinux)));
  });
});
