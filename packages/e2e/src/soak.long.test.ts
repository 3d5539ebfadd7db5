import { expect, test } from '@jest/globals';
import { soak } from './testing/soak.js';

test('Ten minutes of mixed load on a kernel whose calls fail at random leave nothing in use', async () => {
  const { outcomes, before, after } = await soak(600_000);
  const calls = [...outcomes.values()].reduce((sum, count) => sum + count, 0);
  expect(calls).toBeGreaterThan(10_000);
  process.stderr.write(`${JSON.stringify({ calls, before, after })}\n`);
}, 720_000);
