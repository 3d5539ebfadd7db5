import { expect, jest, test } from '@jest/globals';
import { onAbort } from './abort.js';

test('runs each function of a signal once, except those that stopped listening', () => {
  const controller = new AbortController();
  const ran: string[] = [];
  onAbort(controller.signal, () => ran.push('a'));
  const end = onAbort(controller.signal, () => ran.push('b'));
  onAbort(controller.signal, () => ran.push('c'));
  end();
  end();
  controller.abort();
  expect(ran).toEqual(['a', 'c']);
});

test('runs at once if the signal has aborted', () => {
  const ran: string[] = [];
  onAbort(AbortSignal.abort(), () => ran.push('a'));
  expect(ran).toEqual(['a']);
});

test('listens once to each signal, because Node warns of more than ten listeners', () => {
  const { signal } = new AbortController();
  const listen = jest.spyOn(signal, 'addEventListener');
  for (let i = 0; i < 50; i++) onAbort(signal, () => {});
  expect(listen).toHaveBeenCalledTimes(1);
});
