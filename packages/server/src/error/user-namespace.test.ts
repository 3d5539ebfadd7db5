import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { TempDir } from '../testing/temp-dir.js';
import { inUserNamespace } from './user-namespace.js';

test.each([
  ['the initial one', 'user:[4026531837]', false],
  ['another one', 'user:[4026532421]', true],
])('a process in %s', (_, target, expected) => {
  using dir = new TempDir();
  const link = join(dir.path, 'user');
  symlinkSync(target, link);
  expect(inUserNamespace(link)).toBe(expected);
});

test('a process that cannot see its namespace counts as in the initial one', () => {
  expect(inUserNamespace('/nonexistent')).toBe(false);
});
