import { expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { soak } from './testing/soak.js';

needs('bpf').describe('A thousand operations of mixed load on a kernel whose calls fail at random', () => {
  test('leave no handle, file descriptor, timer or memory in use', async () => {
    const { outcomes } = await soak(1_000);
    // Most operations succeed at least once in spite of the faults.
    const good = [...outcomes].filter(([key]) => key.endsWith(' OK'));
    expect(good.length).toBeGreaterThan(10);
  });
});
