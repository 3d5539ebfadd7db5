import { expect, test } from '@jest/globals';
import { Places } from './places.js';

const NEVER = new AbortController().signal;

test('A place goes to the owner that waited the longest, unless it gave up', async () => {
  const places = new Places(1, 1);
  const order: string[] = [];
  const abort = new AbortController();
  await places.take('a', NEVER);
  const first = places.take('a', NEVER).then(() => order.push('first'));
  const gone = places.take('a', abort.signal);
  const last = places.take('b', NEVER).then(() => order.push('last'));
  abort.abort(new Error('gone'));
  await expect(gone).rejects.toThrow('gone');
  places.free('a');
  await first;
  expect(order).toEqual(['first']);
  places.free('a');
  await last;
  places.free('b');
  await places.take('a', NEVER);
});

test('An owner at its cap waits without blocking other owners', async () => {
  const places = new Places(3, 2);
  const order: string[] = [];
  await places.take('greedy', NEVER);
  await places.take('greedy', NEVER);
  const third = places.take('greedy', NEVER).then(() => order.push('greedy'));
  await places.take('other', NEVER);
  const another = places.take('other', NEVER).then(() => order.push('other'));
  places.free('other');
  await another;
  expect(order).toEqual(['other']);
  places.free('greedy');
  await third;
  expect(order).toEqual(['other', 'greedy']);
});
