import { describe, expect, test } from '@jest/globals';
import { withResolvers } from '../testing/grpc-harness.js';
import { KeyedRuns } from './shared-runs.js';

/** Runs with keys. Each run ends when the test says so. */
function setUp() {
  const runs = new KeyedRuns<string>();
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  return {
    begun,
    next: (key: string) =>
      runs.next(key, async () => {
        const { promise, resolve } = withResolvers();
        ends.push(resolve);
        begun.push(key);
        const number = begun.length;
        await promise;
        if (key === 'bad') throw new Error('a run failed');
        return `${key}${number}`;
      }),
    end: async (): Promise<void> => {
      while (ends.length === 0) await new Promise(setImmediate);
      ends.shift()?.();
      await new Promise(setImmediate);
    },
  };
}

describe('Runs with keys', () => {
  test('are done one at a time, in the order of the calls', async () => {
    const { begun, next, end } = setUp();
    const all = Promise.all(['a', 'b', 'c'].map(next));
    for (const expected of [['a'], ['a', 'b'], ['a', 'b', 'c']]) {
      await new Promise(setImmediate);
      expect(begun).toEqual(expected);
      await end();
    }
    expect(await all).toEqual(['a1', 'b2', 'c3']);
  });

  test('are shared by all calls before they begin, and done again for later calls', async () => {
    const { begun, next, end } = setUp();
    const early = [next('a'), next('a')];
    await new Promise(setImmediate);
    const late = [next('a'), next('a')];
    await end();
    await end();
    expect(await Promise.all([...early, ...late])).toEqual(['a1', 'a1', 'a2', 'a2']);
    expect(begun).toEqual(['a', 'a']);
  });

  test('continue after one that failed', async () => {
    const { next, end } = setUp();
    const bad = expect(next('bad')).rejects.toThrow('a run failed');
    const good = next('good');
    await end();
    await end();
    await bad;
    expect(await good).toBe('good2');
  });
});
