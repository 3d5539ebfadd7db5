import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { adaptBtf } from '../kernel/adapt-btf.js';
import { kernelFeaturesOf } from '../kernel/kernel-features.js';
import { Spec } from '../spec.js';
import { validate } from './validate.js';

// Kernels were seen to accept and to refuse these files: 6.12.118, 6.18.44, 7.2.12 and 7.3.4.

function read(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`testdata/${name}`, import.meta.url)));
}

function isAccepted(bytes: Uint8Array, major: number, minor: number): boolean {
  return validate(Spec.parse(bytes), { kernelFeatures: kernelFeaturesOf(major, minor) }).length === 0;
}

test.each([
  ['tags-19.btf', false, true],
  ['tags-55.btf', false, true],
  ['tags-342.btf', false, true],
  ['tags-297.btf', true, false],
])('%s: the rules for tags of Linux 7.1 (%s) and 7.2 (%s)', (name, before, since) => {
  expect([isAccepted(read(name), 7, 1), isAccepted(read(name), 7, 2)]).toEqual([before, since]);
});

test('a layout section is left out for a kernel before 7.1, which refuses it', () => {
  const bytes = read('layout-section.btf');
  expect([isAccepted(bytes, 7, 0), isAccepted(bytes, 7, 1)]).toEqual([false, true]);
  expect(isAccepted(adaptBtf(bytes, kernelFeaturesOf(7, 0)), 7, 0)).toBe(true);
});

test('repeated special fields beyond the number that a kernel has room for are refused by all kernels', () => {
  for (const [major, minor] of [
    [6, 18],
    [7, 3],
  ] as const) {
    expect(isAccepted(read('repeated-fields-overflow.btf'), major, minor)).toBe(false);
  }
});
