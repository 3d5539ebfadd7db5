import { setTimeout } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { systemClock } from './clock.js';

test('A pause longer than the longest of Node’s timers does not end at once', async () => {
  const leaving = new AbortController();
  let ended = false;
  const pause = systemClock.pause(Infinity, leaving.signal).finally(() => (ended = true));
  await setTimeout(50);
  expect(ended).toBe(false);
  leaving.abort(new Error('enough'));
  await expect(pause).rejects.toThrow('enough');
});
