import { describe, expect, test } from '@jest/globals';
import { withResolvers } from '../testing/grpc-harness.js';
import { FileReads } from './file-reads.js';

/** Readings of files, which end when they are told to. */
function setUp() {
  const reads = new FileReads<string>();
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  return {
    begun,
    get: (file: string) =>
      reads.get(file, async () => {
        const { promise, resolve } = withResolvers();
        ends.push(resolve);
        begun.push(file);
        const number = begun.length;
        await promise;
        if (file === 'bad') throw new Error('cannot be read');
        return `${file}${number}`;
      }),
    end: async (): Promise<void> => {
      while (ends.length === 0) await new Promise(setImmediate);
      ends.shift()?.();
      await new Promise(setImmediate);
    },
  };
}

describe('Files', () => {
  test('are read one at a time, in the order in which they were asked for', async () => {
    const { begun, get, end } = setUp();
    const all = Promise.all(['a', 'b', 'c'].map(get));
    for (const expected of [['a'], ['a', 'b'], ['a', 'b', 'c']]) {
      await new Promise(setImmediate);
      expect(begun).toEqual(expected);
      await end();
    }
    expect(await all).toEqual(['a1', 'b2', 'c3']);
  });

  test('are read once for all who ask before it begins, and again for who asks later', async () => {
    const { begun, get, end } = setUp();
    const early = [get('a'), get('a')];
    await new Promise(setImmediate);
    const late = [get('a'), get('a')];
    await end();
    await end();
    expect(await Promise.all([...early, ...late])).toEqual(['a1', 'a1', 'a2', 'a2']);
    expect(begun).toEqual(['a', 'a']);
  });

  test('that cannot be read keep nobody waiting', async () => {
    const { get, end } = setUp();
    const bad = expect(get('bad')).rejects.toThrow('cannot be read');
    const good = get('good');
    await end();
    await end();
    await bad;
    expect(await good).toBe('good2');
  });
});
