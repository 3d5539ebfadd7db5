import { expect, test } from '@jest/globals';
import { plainWords } from './answer.js';

function texts(typed: string, names: Iterable<string>): string[] {
  const answer = plainWords(typed, names);
  return answer.kind === 'words' ? answer.words.map(({ text }) => text) : [];
}

test('names that a shell or a terminal would interpret are not offered', () => {
  const hostile = [
    '$(touch /tmp/x)',
    '`id`',
    'a b',
    'a\nb',
    'a\tb',
    'a\u001B[2J',
    "it's",
    'say"x"',
    'a;b',
    'a&b',
    'a|b',
    'a>b',
    'a*',
    'a?',
    '[a]',
    '{a,b}',
    '~a',
    '-rf',
    '--output',
    '@web1',
    '#a',
    '!a',
    'a\\',
    '../../etc/passwd',
    'é',
    'a\u202Eb',
    'a'.repeat(1000),
    '',
  ];
  expect(texts('', [...hostile, 'nf_tables', '.bss', 'a-b', 'x@y'])).toEqual([
    '.bss',
    'a-b',
    'nf_tables',
    'x@y',
  ]);
});

test('of very many names, so many are offered that their common beginning stays the same', () => {
  const names = Array.from({ length: 100_000 }, (_, at) => `mod_${(at * 7) % 100_000}`);
  const some = texts('mo', names);
  expect(some).toHaveLength(1000);
  const sorted = names.toSorted();
  expect([some[0], some[998], some[999]]).toEqual([sorted[0], sorted[998], sorted.at(-1)]);
  expect(texts('mod_99', names)).toHaveLength(1000);
  expect(texts('mod_999', names)).toHaveLength(111);
});
