import { expect, test } from '@jest/globals';
import { nameTest } from './glob.js';

test('a name is itself alone, a glob what it matches', () => {
  expect(['tcp_sock', 'tcp_sock2'].map(nameTest('tcp_sock'))).toEqual([true, false]);
  expect(['tcp_sock', 'udp_sock'].map(nameTest('tcp_*'))).toEqual([true, false]);
});

test('an empty name is refused, as what has none is not meant', () => {
  expect(() => nameTest('')).toThrow('an empty text is no name');
});

test.each([
  ['[', '"[" is no glob: the "[" at 0 has no "]"'],
  ['[z-a]', '"[z-a]" is no glob: the range "z-a" at 1 runs backwards'],
])('the glob %j is refused in words, as wrong use', (glob, message) => {
  expect(() => nameTest(glob)).toThrow(expect.objectContaining({ message, exitCode: 2 }));
});
