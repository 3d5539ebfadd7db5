import { expect, test } from '@jest/globals';
import { kernelVersionOf } from './kernel-version.js';

function code(major: number, minor: number, last: number): number {
  return major * 65_536 + minor * 256 + last;
}

test.each([
  ['a release', ['', '#1 SMP PREEMPT_DYNAMIC', '6.18.44-cloud'], code(6, 18, 44)],
  ['Debian, by its build', ['', '#1 SMP Debian 6.1.76-1 (2024-02-01)', '6.1.0-18-amd64'], code(6, 1, 76)],
  [
    'Ubuntu, by its signature',
    ['Ubuntu 5.4.0-12.15-generic 5.4.8\n', '#15', '5.4.0-12-generic'],
    code(5, 4, 8),
  ],
  ['a release with a large last number', ['', '', '4.14.336'], code(4, 14, 255)],
  ['texts without a version', ['', '', 'unknown'], null],
])('The version of a kernel is that of %s', (_, [signature = '', version = '', name = ''], expected) => {
  expect(kernelVersionOf({ signature, version, release: name })).toBe(expected);
});
