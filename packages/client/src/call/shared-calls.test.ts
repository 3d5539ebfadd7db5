import { expect, test } from '@jest/globals';
import { SharedCalls } from './shared-calls.js';

test('callers with one key share one call at the same time', async () => {
  const calls = new SharedCalls<number>();
  let started = 0;
  const start = async (): Promise<number> => {
    started += 1;
    await new Promise((resolve) => setImmediate(resolve));
    return started;
  };
  expect(await Promise.all([calls.run('a', undefined, start), calls.run('a', undefined, start)])).toEqual([
    1, 1,
  ]);
  expect(await calls.run('a', undefined, start)).toBe(2);
});

test('other keys have other calls', async () => {
  const calls = new SharedCalls<string>();
  const results = [calls.run('a', undefined, async () => 'A'), calls.run('b', undefined, async () => 'B')];
  expect(await Promise.all(results)).toEqual(['A', 'B']);
});

test('a failure reaches all callers, and the next call starts again', async () => {
  const calls = new SharedCalls<string>();
  const error = new Error('away');
  const fail = async (): Promise<string> => Promise.reject(error);
  const results = await Promise.allSettled([
    calls.run('a', undefined, fail),
    calls.run('a', undefined, fail),
  ]);
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(await calls.run('a', undefined, async () => 'A')).toBe('A');
});

test('a caller that aborts leaves the call, which is aborted when all have left', async () => {
  const calls = new SharedCalls<never>();
  const signals: AbortSignal[] = [];
  const start = (signal: AbortSignal): Promise<never> => {
    signals.push(signal);
    return new Promise(() => {});
  };
  const [first, second] = [new AbortController(), new AbortController()];
  const results = [calls.run('a', first.signal, start), calls.run('a', second.signal, start)];
  first.abort(new Error('first'));
  await expect(results[0]).rejects.toThrow('first');
  expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
  second.abort(new Error('second'));
  await expect(results[1]).rejects.toThrow('second');
  expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
});

test('nothing starts with an aborted signal', async () => {
  const calls = new SharedCalls<string>();
  let started = false;
  const start = async (): Promise<string> => {
    started = true;
    return 'A';
  };
  await expect(calls.run('a', AbortSignal.abort(new Error('over')), start)).rejects.toThrow('over');
  expect(started).toBe(false);
});

test('events reach each caller once per call, and a caller whose listener throws leaves', async () => {
  const calls = new SharedCalls<string, number>();
  const heard: number[] = [];
  const hear = (event: number): void => void heard.push(event);
  const error = new Error('of the listener');
  const start = async (_: AbortSignal, emit: (event: number) => void): Promise<string> => {
    for (const event of [1, 2]) {
      await new Promise((resolve) => setImmediate(resolve));
      emit(event);
    }
    return 'A';
  };
  const results = await Promise.allSettled([
    calls.run('a', undefined, start, () => {
      throw error;
    }),
    calls.run('a', undefined, start, hear),
    calls.run('a', undefined, start, hear),
  ]);
  expect(results).toMatchObject([{ reason: error }, { value: 'A' }, { value: 'A' }]);
  expect(heard).toEqual([1, 1, 2, 2]);
});
