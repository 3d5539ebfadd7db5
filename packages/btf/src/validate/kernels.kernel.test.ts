import { readFileSync } from 'node:fs';
import { expect } from '@jest/globals';
import { needs } from 'test-tools';
import { Spec } from '../spec.js';
import { VMLINUX } from '../testing/bpftool.js';
import { filesOf, kernels, parseFile } from '../testing/corpus.js';
import { kernelFeaturesOf } from '../kernel/kernel-features.js';
import { validate } from './validate.js';

// A kernel accepts its own BTF and that of its modules: it could not have loaded them otherwise.

needs('vmlinux').test('validate finds no problems in the BTF of the running kernel', () => {
  const spec = Spec.parse(new Uint8Array(readFileSync(VMLINUX)));
  expect(validate(spec)).toEqual([]);
});

needs('debian-kernels').test('validate finds no problems in the BTF of Linux 6.1 and its modules', () => {
  const kernelFeatures = kernelFeaturesOf(6, 1);
  const files = filesOf(kernels('kernels').filter(({ release }) => release.startsWith('6.1.')));
  const problems = files.map((file) => [file.name, validate(parseFile(file), { kernelFeatures })]);
  expect(problems).toEqual(files.map(({ name }) => [name, []]));
  expect(problems.length).toBeGreaterThan(3);
});
