import { Encoding } from '@btfd/api';
import { describe, expect, test } from '@jest/globals';
import type { Item, ResolveJob, SpecItem, SpecJob } from './job.js';
import { KeptResponses } from './kept-responses.js';

const KIB = 1024;

function spec(own: Partial<SpecJob> = {}): SpecJob {
  return {
    name: 'spec',
    btf: { digest: 'aa', bytes: new Uint8Array() },
    base: null,
    encoding: Encoding.TYPES,
    selection: { names: ['list_head'], nameGlobs: [], kinds: [], ids: [], closure: true },
    chunkBytes: 256 * KIB,
    maxCBytes: 1,
    cFormat: { sorted: true, kfuncs: true, assertions: false },
    ...own,
  };
}

function resolve(...paths: string[]): ResolveJob {
  const btf = { digest: 'aa', bytes: new Uint8Array() };
  return { name: 'resolve', btf, base: null, paths, digest: new Uint8Array() };
}

function message(bytes: number): SpecItem {
  return { case: 'message', value: new Uint8Array(bytes) };
}

async function collect<T>(items: Iterable<T> | AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

describe('A response', () => {
  const items = [message(10), message(20)];

  test('is kept when it is complete', async () => {
    const responses = new KeptResponses(KIB * KIB);
    expect(responses.get(spec())).toBeNull();
    expect(await collect(responses.keeping(spec(), items))).toEqual(items);
    expect(responses.get(spec())).toEqual(items);
  });

  test('is not kept if its reader leaves, or if it fails', async () => {
    const responses = new KeptResponses(KIB * KIB);
    for await (const item of responses.keeping(spec(), items)) {
      expect(item).toBe(items[0]);
      break;
    }
    async function* failing(): AsyncGenerator<SpecItem, void, void> {
      yield message(10);
      throw new Error('lost');
    }
    await expect(collect(responses.keeping(spec(), failing()))).rejects.toThrow('lost');
    expect(responses.get(spec())).toBeNull();
  });

  test.each<[string, Partial<SpecJob>]>([
    ['another BTF', { btf: { digest: 'bb', bytes: new Uint8Array() } }],
    ['a base', { base: { digest: 'cc', bytes: new Uint8Array() } }],
    ['another encoding', { encoding: Encoding.C }],
    ['another form of C', { cFormat: { sorted: false, kfuncs: true, assertions: false } }],
    ['all types', { selection: null }],
    [
      'other names',
      { selection: { names: ['list', 'head'], nameGlobs: [], kinds: [], ids: [], closure: true } },
    ],
    [
      'no closure',
      { selection: { names: ['list_head'], nameGlobs: [], kinds: [], ids: [], closure: false } },
    ],
    ['globs', { selection: { names: [], nameGlobs: ['list_head'], kinds: [], ids: [], closure: true } }],
    ['a kind', { selection: { names: ['list_head'], nameGlobs: [], kinds: [4], ids: [], closure: true } }],
    ['an id', { selection: { names: ['list_head'], nameGlobs: [], kinds: [], ids: [4], closure: true } }],
  ])('is not that of a request with %s', (_, other) => {
    const responses = new KeptResponses(KIB * KIB);
    responses.keep(spec(), items);
    expect(responses.get(spec(other))).toBeNull();
    responses.keep(spec(other), [message(1)]);
    expect([responses.get(spec()), responses.get(spec(other))]).toEqual([items, [message(1)]]);
  });

  test('about members is that of the same paths in the same order', () => {
    const responses = new KeptResponses(KIB * KIB);
    responses.keep(resolve('a.b', 'c.d'), [Uint8Array.of(1)]);
    const found = [resolve('a.b', 'c.d'), resolve('c.d', 'a.b'), resolve('a.b'), resolve('a.b","c.d')];
    expect(found.map((job) => responses.get(job)?.[0]?.[0])).toEqual([1, undefined, undefined, undefined]);
  });
});

describe('The memory for responses', () => {
  test('is that of the responses that were used last', () => {
    const responses = new KeptResponses(10 * KIB);
    for (const path of ['a', 'b', 'c']) {
      responses.keep(resolve(path), [new Uint8Array(4 * KIB)]);
      responses.get(resolve('a'));
    }
    expect(['a', 'b', 'c'].map((path) => responses.get(resolve(path)) !== null)).toEqual([true, false, true]);
  });

  test('has no response that takes more than half of it', async () => {
    const responses = new KeptResponses(10 * KIB);
    const large = [message(4 * KIB), message(4 * KIB)];
    expect(await collect(responses.keeping(spec(), large))).toEqual(large);
    responses.keep(spec(), large);
    expect(responses.get(spec())).toBeNull();
  });

  test('limits responses that slow readers have not read, and lets later ones be kept', async () => {
    const responses = new KeptResponses(10 * KIB);
    const slow = ['a', 'b', 'c', 'd'].map((digest) => {
      const job = spec({ btf: { digest, bytes: new Uint8Array() } });
      return { job, items: responses.keeping(job, [message(4 * KIB), message(1)]) };
    });
    for (const { items } of slow) await items.next();
    for (const { items } of slow) await collect(items);
    expect(slow.map(({ job }) => responses.get(job) !== null)).toEqual([true, true, false, false]);
    const later = spec({ encoding: Encoding.C });
    await collect(responses.keeping(later, [message(4 * KIB)]));
    expect(responses.get(later)).not.toBeNull();
  });

  test('limits large responses that slow readers still read after their eviction', () => {
    const MIB = KIB * KIB;
    const responses = new KeptResponses(4 * MIB);
    const jobs = ['a', 'b', 'c'].map((digest) => spec({ btf: { digest, bytes: new Uint8Array() } }));
    const begin = (job: SpecJob) => {
      const reader = responses.reading(job)?.[Symbol.iterator]();
      return reader?.next().done === false ? reader : null;
    };
    const readers = jobs.map((job) => {
      responses.keep(job, [message(1.5 * MIB), message(1)]);
      return [begin(job), begin(job)];
    });
    expect(readers.map((both) => both.map((reader) => reader !== null))).toEqual([
      [true, true],
      [true, true],
      [false, false],
    ]);
    const [last = spec()] = jobs.slice(-1);
    readers[0]?.[0]?.return?.();
    expect(begin(last)).toBeNull();
    readers[0]?.[1]?.next();
    readers[0]?.[1]?.next();
    expect(begin(last)).not.toBeNull();
    responses.keep(spec(), [message(MIB / 4)]);
    expect(begin(spec())).not.toBeNull();
  });

  test('may be none', async () => {
    const responses = new KeptResponses(0);
    expect(await collect<Item>(responses.keeping(spec(), [message(1)]))).toEqual([message(1)]);
    responses.keep(resolve('a'), [new Uint8Array(1)]);
    expect([responses.get(spec()), responses.get(resolve('a'))]).toEqual([null, null]);
  });

  test('has no response to a request with very many or long parts', () => {
    const responses = new KeptResponses(KIB * KIB);
    const many = resolve(...Array.from({ length: 65 }, (_, index) => `a.b${index}`));
    const long = resolve('a'.repeat(8 * KIB));
    for (const job of [many, long]) {
      responses.keep(job, [new Uint8Array(1)]);
      expect(responses.get(job)).toBeNull();
    }
  });
});
