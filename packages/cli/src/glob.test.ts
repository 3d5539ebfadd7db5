import { expect, test } from '@jest/globals';
import { compileGlob, isGlob } from './glob.js';

test.each([
  ['tcp_sock', 'tcp_sock', true],
  ['tcp_sock', 'tcp_socket', false],
  ['tcp_*', 'tcp_', true],
  ['*sock*', 'inet_sock', true],
  ['*sock*', 'inet', false],
  ['s?b', 'skb', true],
  ['s?b', 'sb', false],
  ['[a-c]x', 'bx', true],
  ['[!a-c]x', 'bx', false],
  ['[!a-c]x', 'dx', true],
  // What means something to a regular expression means nothing here.
  ['a.b*', 'a.bc', true],
  ['a.b*', 'axbc', false],
  ['(x|y)*', '(x|y)z', true],
  ['$*^', '$^', true],
  ['a-b*', 'a-b', true],
])('%s on %s: %s', (glob, text, matches) => {
  expect(compileGlob(glob)(text)).toBe(matches);
});

test('a text without wildcards is no glob', () => {
  expect(['a', 'a.b', 'a-b'].some(isGlob)).toBe(false);
  expect(['a*', 'a?', '[a]'].every(isGlob)).toBe(true);
});

test('a range that makes no sense is refused in words', () => {
  expect(() => compileGlob('[z-a]')).toThrow('"[z-a]" is no glob');
});
