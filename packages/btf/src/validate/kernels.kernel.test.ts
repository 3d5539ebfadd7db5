import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { Spec } from '../spec.js';
import { VMLINUX, whyNoVmlinux } from '../testing/bpftool.js';
import { debianKernels, parseFiles } from '../testing/kernel-btf.js';
import { kernelFeaturesOf } from './kernel-features.js';
import { validate } from './validate.js';

const skip = whyNoVmlinux();
if (skip !== null) console.warn(`skipped in part: ${skip}`);

// A kernel accepts its own BTF and that of its modules: it could not have loaded them otherwise.

(skip === null ? test : test.skip)('nothing is found in the BTF of the running kernel', () => {
  const spec = Spec.parse(new Uint8Array(readFileSync(VMLINUX)));
  expect(validate(spec)).toEqual([]);
});

const oldest = debianKernels().filter(({ name }) => name.startsWith('6.1.'));
if (oldest.length === 0) console.warn('skipped: scripts/fetch-kernel-btf.js has not fetched Linux 6.1');
const mustHave = process.env['BTFD_REQUIRE_KERNEL'] === '1';

(oldest.length > 0 || mustHave ? test : test.skip)(
  'nothing is found in the BTF of Linux 6.1 and its modules',
  () => {
    const kernelFeatures = kernelFeaturesOf(6, 1);
    const problems = oldest.map((file) => [file.name, validate(parseFiles(file), { kernelFeatures })]);
    expect(problems).toEqual(oldest.map(({ name }) => [name, []]));
    expect(problems.length).toBeGreaterThan(3);
  },
);
