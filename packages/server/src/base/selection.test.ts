import { expect, test } from '@jest/globals';
import { compileGlobs } from './selection.js';

test.each([
  ['', 'is empty'],
  ['a'.repeat(257), 'has 257 characters; at most 256 are allowed'],
  ['ab[', 'the "[" at 3 has no "]"'],
  ['[z-a]', 'the range "z-a" at 2 runs backwards'],
])('the glob %j is refused with its field: it %s', (glob, description) => {
  expect(() => compileGlobs('selection.name_globs', ['*', glob])).toThrow(
    expect.objectContaining({ violations: [{ field: 'selection.name_globs[1]', description }] }),
  );
});

test('a glob of 256 characters is accepted', () => {
  const [matches] = compileGlobs('name_globs', ['a'.repeat(256)]);
  expect(matches?.('a'.repeat(256))).toBe(true);
});
