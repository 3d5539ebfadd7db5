import { expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { compareRandomPrograms } from '../testing/reach-oracle.js';

needs('bpf', 'gcc').describe('random programs', () => {
  test('are not refused for an instruction that is never reached, and are for one that always is', () => {
    const { contradictions, accepted, reach } = compareRandomPrograms(0x5eed, 300);
    expect(contradictions).toEqual([]);
    // The comparison is worth something only if the kernel accepts most of them.
    expect(accepted).toBeGreaterThan(200);
    for (const word of ['NEVER', 'NEVER_AS_INITIALIZED', 'MAYBE', 'ALWAYS'])
      expect(reach.get(word)).toBeGreaterThan(20);
  });
});
