import { expect, test } from '@jest/globals';
import { onAbort } from './on-abort.js';

test('runs each function of a signal once, except those that were ended', () => {
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

test('runs at once where the signal was aborted before', () => {
  const ran: string[] = [];
  onAbort(AbortSignal.abort(), () => ran.push('a'));
  expect(ran).toEqual(['a']);
});

test('many functions on one signal print no warning', async () => {
  const warnings: Error[] = [];
  const warned = (warning: Error): void => void warnings.push(warning);
  process.on('warning', warned);
  const { signal } = new AbortController();
  for (let i = 0; i < 50; i++) onAbort(signal, () => {});
  await new Promise((resolve) => setImmediate(resolve));
  process.off('warning', warned);
  expect(warnings).toEqual([]);
});
