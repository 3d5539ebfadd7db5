import { describe, expect, test } from '@jest/globals';
import { Spec } from '../spec.js';
import { validate } from '../validate/validate.js';
import { FEATURE_ROWS, type KernelFeatures, kernelFeaturesOf } from './kernel-features.js';
import { probeBtf, probeResult } from './probe.js';

/** The releases with new features, and some between. */
const RELEASES =
  '4.18 5.0 5.2 5.6 5.10 5.12 5.13 5.16 5.17 6.0 6.1 6.4 6.6 6.9 6.11 6.12 6.13 6.15 6.18 7.1 7.2'.split(' ');

/** Loads BTF as a kernel with these features would. Returns the name of the errno, or null if it accepts the BTF. */
function errnoOf(bytes: Uint8Array, kernelFeatures: KernelFeatures): string | null {
  const [problem] = validate(Spec.parse(bytes), { kernelFeatures });
  if (problem === undefined) return null;
  if (problem.message === 'Unsupported btf_header') return 'E2BIG';
  return /\((E\w+)\)$/.exec(problem.message)?.[1] ?? 'EINVAL';
}

function probed(features: KernelFeatures): Map<string, boolean | null> {
  const known = new Map<string, boolean | null>();
  for (const [name, { probe }] of FEATURE_ROWS) {
    if (probe === null) continue;
    const isPossible = probe.needs === undefined || known.get(probe.needs) === true;
    known.set(name, isPossible && probeResult(probe, errnoOf(probeBtf(probe), features)));
  }
  return known;
}

describe('the probes of all features', () => {
  test.each(RELEASES)('find exactly the features of Linux %s', (release) => {
    const [major = 0, minor = 0] = release.split('.').map(Number);
    const features = kernelFeaturesOf(major, minor);
    const found = probed(features);
    expect(found.size).toBe(FEATURE_ROWS.size - 1);
    const expected = Object.entries(features).filter(([name]) => found.has(name));
    expect(Object.fromEntries(found)).toEqual(Object.fromEntries(expected));
  });

  test('find a check that a stable release has early', () => {
    const backported = { ...kernelFeaturesOf(6, 12), uniqueFields: true };
    expect(probed(backported).get('uniqueFields')).toBe(true);
    expect(probed(kernelFeaturesOf(6, 12)).get('uniqueFields')).toBe(false);
  });

  test('are inconclusive if the load fails for another reason', () => {
    expect(probeResult({ types: [] }, 'ENOMEM')).toBeNull();
    expect(probeResult({ types: [], refusedWith: 'E2BIG' }, 'EPERM')).toBeNull();
  });

  // A WARNING of the kernel is a crash with panic_on_warn.
  test('never have two locks or reference counts that all kernels find, unless they also refuse the BTF before', () => {
    for (const [name, { probe }] of FEATURE_ROWS) {
      if (probe === null) continue;
      const features = { ...kernelFeaturesOf(7, 1), uniqueFields: false };
      const messages = validate(Spec.parse(probeBtf(probe)), { kernelFeatures: features });
      if (name === 'uniqueFields')
        expect(messages).toMatchObject([{ message: 'Root without contains: tag (EINVAL)' }]);
    }
  });
});
