import { release } from 'node:os';
import { expect, test } from '@jest/globals';
import { runningKernelVersion } from './kernel-version.js';

test('The running kernel has the version of its release', () => {
  const [major = 0, minor = 0] = release().split('.').map(Number);
  expect((runningKernelVersion() ?? 0) >>> 8).toBe((major << 8) | minor);
});
