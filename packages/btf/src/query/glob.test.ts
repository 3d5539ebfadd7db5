import { describe, expect, test } from '@jest/globals';
import { seeded } from 'test-tools/random';
import { compileGlob, GlobError, isGlob } from './glob.js';

function matches(glob: string, name: string): boolean {
  return compileGlob(glob)(name);
}

describe('A glob', () => {
  test.each([
    // Itself, and nothing else.
    ['task_struct', ['task_struct'], ['task_struct_', '_task_struct', 'task', '']],
    ['a.b', ['a.b'], ['axb']],
    ['a+(b)|^c$\\d', ['a+(b)|^c$\\d'], ['aab', 'c1']],
    // Any characters.
    ['*', ['', 'a', 'anything at all', '\n'], []],
    ['**', ['', 'a'], []],
    ['a*', ['a', 'ab', 'a\nb'], ['', 'ba']],
    ['*a', ['a', 'ba', 'aa'], ['ab', '']],
    ['a*b*c', ['abc', 'axbxc', 'abbcc', 'abcbc'], ['ab', 'acb', 'abcx']],
    ['*ab*', ['ab', 'aab', 'xabx'], ['a', 'ba']],
    // One character.
    ['?', ['a', '?', '*'], ['', 'ab']],
    ['a?c', ['abc', 'a?c'], ['ac', 'abbc']],
    ['?*?', ['ab', 'abc'], ['a', '']],
    // One of a class.
    ['[abc]', ['a', 'c'], ['d', '', 'ab']],
    ['[a-c]x', ['ax', 'bx', 'cx'], ['dx', '-x']],
    ['[a-cx-z]', ['b', 'y'], ['m']],
    ['[!a-c]', ['d', '!'], ['a', 'c', '']],
    ['[^a-c]', ['d', '^'], ['a', 'c', '']],
    ['[^]a]', ['b', '['], [']', 'a']],
    ['[a^]', ['a', '^'], ['b']],
    ['[a!]', ['a', '!'], ['b']],
    ['[-a]', ['-', 'a'], ['b']],
    ['[a-]', ['-', 'a'], ['b']],
    ['[]a]', [']', 'a'], ['[']],
    ['[!]a]', ['b', '['], [']', 'a']],
    ['[*?]', ['*', '?'], ['a']],
    ['x[0-9]*[0-9]', ['x12', 'x1y2'], ['x1', 'xy2']],
  ])('%j matches %j and not %j', (glob, names, others) => {
    expect(names.filter((name) => !matches(glob, name))).toEqual([]);
    expect(others.filter((name) => matches(glob, name))).toEqual([]);
  });

  test.each([
    ['of many stars', '*a'.repeat(100), 'b'],
    ['of many stars and classes', '*[a-z]?'.repeat(30), 'B'],
    ['of a long part that almost fits everywhere', `*${'?'.repeat(400)}`, 'B'],
  ])('%s does not take time without bound on a name that almost matches', (_, glob, end) => {
    // A matcher that tries every way would not end here.
    expect(matches(glob + end, 'a'.repeat(1000))).toBe(false);
    expect(matches(glob + end, 'a'.repeat(1000) + end)).toBe(true);
  });

  test.each([
    ['[', 'the "[" at 1 has no "]"'],
    ['[abc', 'the "[" at 1 has no "]"'],
    ['ab[', 'the "[" at 3 has no "]"'],
    ['[]', 'the "[" at 1 has no "]"'],
    ['[!]', 'the "[" at 1 has no "]"'],
    ['[a]*[^]', 'the "[" at 5 has no "]"'],
    ['x[az-a]', 'the range "z-a" at 4 runs backwards'],
  ])('%j is refused, with the place: %s', (glob, message) => {
    expect(() => compileGlob(glob)).toThrow(new GlobError(message));
  });
});

test('a glob matches what the regular expression of the same meaning matches', () => {
  const random = seeded(7);
  const pick = (texts: readonly string[]): string => texts[random(texts.length)] ?? '';
  const many = (texts: readonly string[], most: number): string =>
    Array.from({ length: random(most) }, () => pick(texts)).join('');
  let matched = 0;
  const wrong: unknown[] = [];
  for (let round = 0; round < 20_000; round++) {
    // Parts of more than 32 places take another path, and so do characters beyond ASCII.
    const unit = pick(['', 'ab'.repeat(20), '?'.repeat(33), '[ab]'.repeat(64)]);
    const glob = many(['a', 'b', '*', '?', '[ab]', '[!a]', 'é', '[é-ü]', '[!é]', '*', unit], 8);
    const name = many(['a', 'b', 'c', 'é', 'ë', '\u{ffff}', 'ab'.repeat(20)], 8);
    const source = glob.replaceAll('*', '.*').replaceAll('?', '.').replaceAll('[!', '[^');
    const expected = new RegExp(`^${source}$`, 's').test(name);
    matched += expected ? 1 : 0;
    if (matches(glob, name) !== expected) wrong.push({ glob, name, expected });
  }
  expect(wrong).toEqual([]);
  // Both outcomes were tried often.
  expect(matched).toBeGreaterThan(1000);
});

test('a text without wildcards is not a glob', () => {
  expect(['a', 'a.b', 'a-b', ']'].some(isGlob)).toBe(false);
  expect(['a*', 'a?', '[a]', '['].every(isGlob)).toBe(true);
});
