import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { Spec } from '../spec.js';
import { VMLINUX, whyNoVmlinux } from '../testing/bpftool.js';
import { filesOf, kernels, parseFile, whyNoKernels } from '../testing/corpus.js';
import { kernelFeaturesOf } from './kernel-features.js';
import { validate } from './validate.js';

const skip = whyNoVmlinux();
if (skip !== null) console.warn(`skipped in part: ${skip}`);

// A kernel accepts its own BTF and that of its modules: it could not have loaded them otherwise.

(skip === null ? test : test.skip)('validate finds no problems in the BTF of the running kernel', () => {
  const spec = Spec.parse(new Uint8Array(readFileSync(VMLINUX)));
  expect(validate(spec)).toEqual([]);
});

const noKernels = whyNoKernels();
if (noKernels !== null) console.warn(`skipped: ${noKernels}`);

(noKernels === null ? test : test.skip)(
  'validate finds no problems in the BTF of Linux 6.1 and its modules',
  () => {
    const kernelFeatures = kernelFeaturesOf(6, 1);
    const files = filesOf(kernels('kernels').filter(({ release }) => release.startsWith('6.1.')));
    const problems = files.map((file) => [file.name, validate(parseFile(file), { kernelFeatures })]);
    expect(problems).toEqual(files.map(({ name }) => [name, []]));
    expect(problems.length).toBeGreaterThan(3);
  },
);
