import { test } from '@jest/globals';
import { soak } from './testing/soak.js';

test('Twenty thousand operations of mixed load on a kernel whose calls fail at random leave nothing in use', async () => {
  const { outcomes, before, after } = await soak(20_000);
  process.stderr.write(`${JSON.stringify({ outcomes: Object.fromEntries(outcomes), before, after })}\n`);
}, 720_000);
