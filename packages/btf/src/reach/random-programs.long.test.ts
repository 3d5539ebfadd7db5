import { expect } from '@jest/globals';
import { needs } from 'test-tools';
import { compareRandomPrograms } from '../testing/reach-oracle.js';

const BATCHES = 20;

needs('bpf', 'gcc').test(
  '10,000 random programs are not refused for an instruction that is never reached',
  () => {
    for (let seed = 1; seed <= BATCHES; seed++) {
      const { contradictions } = compareRandomPrograms(seed * 7919, 10_000 / BATCHES);
      expect([seed, contradictions]).toEqual([seed, []]);
    }
  },
);
