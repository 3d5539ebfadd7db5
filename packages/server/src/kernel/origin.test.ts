import { expect, test } from '@jest/globals';
import { Origin } from '@btfd/api';
import { originOf } from './origin.js';

test.each([
  [true, 'vmlinux', Origin.VMLINUX],
  [true, 'xfs', Origin.MODULE],
  [true, 'vmlinux.inline', Origin.KERNEL_OTHER],
  [true, 'xfs.inline', Origin.KERNEL_OTHER],
  [false, '', Origin.USER],
  // An object of a user has no name. If it had one, it would still be a user's.
  [false, 'vmlinux', Origin.USER],
])('An object of which kernelBtf is %j and the name %j is of the origin %i', (kernelBtf, name, origin) => {
  expect(originOf({ kernelBtf, name })).toBe(origin);
});
