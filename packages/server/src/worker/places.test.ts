import { expect, test } from '@jest/globals';
import { Places } from './places.js';

const NEVER = new AbortController().signal;

test('A place goes to who waits the longest, and not to who gave up', async () => {
  const places = new Places(1);
  const order: string[] = [];
  const abort = new AbortController();
  await places.take(NEVER);
  const first = places.take(NEVER).then(() => order.push('first'));
  const gone = places.take(abort.signal);
  const last = places.take(NEVER).then(() => order.push('last'));
  abort.abort(new Error('gone'));
  await expect(gone).rejects.toThrow('gone');
  places.free();
  await first;
  expect(order).toEqual(['first']);
  places.free();
  await last;
  places.free();
  await places.take(NEVER);
});
