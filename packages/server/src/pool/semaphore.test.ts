import { expect, test } from '@jest/globals';
import { Semaphore } from './semaphore.js';

const NEVER = new AbortController().signal;

test('A place goes to the owner that waited the longest, unless it gave up', async () => {
  const semaphore = new Semaphore(1, 1);
  const order: string[] = [];
  const abort = new AbortController();
  await semaphore.take('a', NEVER);
  const first = semaphore.take('a', NEVER).then(() => order.push('first'));
  const gone = semaphore.take('a', abort.signal);
  const last = semaphore.take('b', NEVER).then(() => order.push('last'));
  abort.abort(new Error('gone'));
  await expect(gone).rejects.toThrow('gone');
  semaphore.free('a');
  await first;
  expect(order).toEqual(['first']);
  semaphore.free('a');
  await last;
  semaphore.free('b');
  await semaphore.take('a', NEVER);
});

test('An owner at its cap waits without blocking other owners', async () => {
  const semaphore = new Semaphore(3, 2);
  const order: string[] = [];
  await semaphore.take('greedy', NEVER);
  await semaphore.take('greedy', NEVER);
  const third = semaphore.take('greedy', NEVER).then(() => order.push('greedy'));
  await semaphore.take('other', NEVER);
  const another = semaphore.take('other', NEVER).then(() => order.push('other'));
  semaphore.free('other');
  await another;
  expect(order).toEqual(['other']);
  semaphore.free('greedy');
  await third;
  expect(order).toEqual(['other', 'greedy']);
});

test('An owner that has given up gets no place, even if one is free', async () => {
  const semaphore = new Semaphore(1, 1);
  await expect(semaphore.take('gone', AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone');
  await semaphore.take('a', NEVER);
});
