import { describe, expect, test } from '@jest/globals';
import { foldNames, someNames } from './folded-names.js';

/** Writes the ranges out, by the rules of nodeset(1) and pdsh(1). */
function unfold(text: string): string[] {
  if (text.startsWith('"')) return [String(JSON.parse(text))];
  const [, before = '', ranges, after = ''] = /^(.*)\[([\d,-]+)\](.*)$/.exec(text) ?? [];
  if (ranges === undefined) return [text];
  return ranges.split(',').flatMap((range) => {
    const [first = '', last = first] = range.split('-');
    const names = [];
    for (let number = Number(first); number <= Number(last); number++)
      names.push(`${before}${String(number).padStart(first.length, '0')}${after}`);
    return names;
  });
}

const numbered = (prefix: string, from: number, to: number, suffix = ''): string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => `${prefix}${from + index}${suffix}`);

test.each<[string[], string[]]>([
  [[], []],
  [['web'], ['web']],
  [['web7'], ['web7']],
  [[...numbered('web', 1, 40), 'web43'], ['web[1-40,43]']],
  [numbered('ip-10-0-3-', 17, 20), ['ip-10-0-3-[17-20]']],
  // Not the number of the region, which all have.
  [numbered('ip-10-0-3-', 17, 20, '.eu-west-1.internal'), ['ip-10-0-3-[17-20].eu-west-1.internal']],
  [numbered('10.0.0.', 1, 3, ':7443'), ['10.0.0.[1-3]:7443']],
  [['web08', 'web09', 'web10', 'web11'], ['web[08-11]']],
  // One of them has zeros, the other has none.
  [
    ['web1', 'web01', 'web2', 'web02'],
    ['web[01-02]', 'web[1-2]'],
  ],
  [
    ['web9', 'web10', 'db1', 'web9'],
    ['db1', 'web[9-10]'],
  ],
  [
    ['web[1-2]', 'web1', 'web2'],
    ['web[1-2]', '"web[1-2]"'],
  ],
  [
    ['a,b', 'a"b'],
    ['"a\\"b"', '"a,b"'],
  ],
  [
    ['n9999999999999998', 'n9999999999999999'],
    ['n9999999999999998', 'n9999999999999999'],
  ],
])('%j is written as %j', (names, expected) => {
  expect(foldNames(names).map(({ text }) => text)).toEqual(expected);
});

describe('Nothing is lost', () => {
  /** Numbers of a fixed sequence, so that a failure can be repeated. */
  const random = (seed: number) => {
    let state = seed;
    return (below: number): number => {
      state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
      return Math.floor((state / 2 ** 31) * below);
    };
  };
  const PIECES = [
    'web',
    'ip-',
    '-',
    '.',
    '0',
    '00',
    '1',
    '7',
    '10',
    '099',
    '123',
    '[',
    ']',
    ',',
    '"',
    '\\',
    '1-3',
  ];

  test.each(Array.from({ length: 200 }, (_, seed) => seed))('of names with seed %i', (seed) => {
    const next = random(seed + 1);
    const names = Array.from({ length: 1 + next(60) }, () =>
      Array.from({ length: 1 + next(4) }, () => PIECES[next(PIECES.length)]).join(''),
    );
    const parts = foldNames(names);
    expect(parts.flatMap(({ text }) => unfold(text)).toSorted()).toEqual([...new Set(names)].toSorted());
    expect(parts.map(({ count }) => count)).toEqual(parts.map(({ text }) => unfold(text).length));
  });

  test('of the largest fleet with the longest names', () => {
    const long = 'rack-1-2-3-4-5-6-7-8-9-10-'.padEnd(240, 'x');
    const names = numbered(long, 1, 10_000);
    const parts = foldNames(names);
    expect(parts).toEqual([{ text: `${long}[1-10000]`, count: 10_000 }]);
  });
});

test('someNames keeps to a number of parts, and counts the names that it leaves out', () => {
  const names = [...numbered('a', 1, 3), 'b', ...numbered('c', 1, 5), 'd'];
  expect(someNames(names, 2)).toBe('a[1-3], b and 6 more');
  expect(someNames(names, 4)).toBe('a[1-3], b, c[1-5], d');
});
