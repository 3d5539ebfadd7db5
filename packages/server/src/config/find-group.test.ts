import { expect, test } from '@jest/globals';
import { TempDir } from '../testing/temp-dir.js';
import { findGroup } from './find-group.js';

const FILE = 'root:x:0:\nbtf:x:1234:alice,bob\nbroken\nodd:x:12a:\n';

test.each([
  ['btf', 1234],
  ['root', 0],
  ['27', 27],
])('%s is the group %d', (text, gid) => {
  using dir = new TempDir();
  expect(findGroup(text, dir.write('group', FILE))).toBe(gid);
});

test.each(['none', '', 'bt', 'odd', '-1', 'broken'])('%j is no group', (text) => {
  using dir = new TempDir();
  const file = dir.write('group', FILE);
  expect(() => findGroup(text, file)).toThrow(`has no group ${JSON.stringify(text)}`);
});

test('root is in the file of the system', () => {
  expect(findGroup('root')).toBe(0);
});
