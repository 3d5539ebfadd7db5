import { expect, test } from '@jest/globals';
import { nameTest } from './glob.js';

test('a name matches itself only, a glob all names of its form', () => {
  expect(['tcp_sock', 'tcp_sock2'].map(nameTest('tcp_sock'))).toEqual([true, false]);
  expect(['tcp_sock', 'udp_sock'].map(nameTest('tcp_*'))).toEqual([true, false]);
});

test('an empty name is rejected', () => {
  expect(() => nameTest('')).toThrow('the name is empty');
});

test.each([
  ['[', 'invalid glob "[": the "[" at 1 has no "]"'],
  ['[z-a]', 'invalid glob "[z-a]": the range "z-a" at 2 runs backwards'],
])('the glob %j is a usage error', (glob, message) => {
  expect(() => nameTest(glob)).toThrow(expect.objectContaining({ message, exitCode: 2 }));
});
