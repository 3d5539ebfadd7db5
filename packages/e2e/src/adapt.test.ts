import { adaptBtf, BtfReadError, kernelFeaturesOf, Spec, validate } from '@btfd/btf';
import { expect, test } from '@jest/globals';
import { randomBtf } from './testing/random-btf.js';

const RELEASES = '4.18 5.0 5.4 5.10 5.12 5.15 5.17 6.0 6.1 6.12 6.18 7.1'.split(' ').map((release) => {
  const [major = 0, minor = 0] = release.split('.').map(Number);
  return [release, kernelFeaturesOf(major, minor)] as const;
});

/** Random BTF that the newest kernel accepts. */
function acceptedBtfs(count: number): Uint8Array[] {
  const make = randomBtf(0xada97);
  const accepted: Uint8Array[] = [];
  for (let i = 0; i < count; i++) {
    const bytes = make();
    try {
      if (validate(Spec.parse(bytes)).length === 0) accepted.push(bytes);
    } catch (error) {
      if (!(error instanceof BtfReadError)) throw error;
    }
  }
  return accepted;
}

test('adaptBtf makes random BTF acceptable to every kernel', () => {
  const accepted = acceptedBtfs(1500);
  expect(accepted.length).toBeGreaterThan(200);
  const refused: string[] = [];
  let rewritten = 0;
  for (const [release, kernelFeatures] of RELEASES) {
    for (const bytes of accepted) {
      const adapted = adaptBtf(bytes, kernelFeatures);
      if (adapted !== bytes) rewritten += 1;
      const [problem] = validate(Spec.parse(adapted), { kernelFeatures });
      if (problem !== undefined) refused.push(`${release}: ${problem.message}`);
    }
  }
  expect(refused).toEqual([]);
  expect(rewritten).toBeGreaterThan(500);
});
