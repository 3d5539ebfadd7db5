import { expect } from '@jest/globals';
import { BpfError, btfLoad } from '@btfd/native';
import { needs } from 'test-tools';
import { seeded } from 'test-tools/random';
import type { LoadEstimate } from '../../base/load-estimate.js';
import { ServiceError } from '../../error/service-error.js';
import { allSteps } from '../../testing/collect.js';
import { costlyBtf } from '../../testing/costly-btf.js';
import { kernelSearchNs } from './kernel-search.js';
import { screen } from './screen.js';

const CASES = 1_500;
/** Bounds the work of the kernel: BTF above it is not loaded. */
const MAX_MS = 80;
/** The change of threads takes as long as a shorter check. */
const SHORTEST_MS = 3;
const WRONG = 10;
const TRIES = 4;

function estimate(bytes: Uint8Array): LoadEstimate | null {
  try {
    const options = { maxCheckMs: MAX_MS, kernelLayout: new Uint8Array(), kernelSearchNs };
    return allSteps(screen(bytes, options)).value;
  } catch (error) {
    if (error instanceof ServiceError) return null;
    throw error;
  }
}

/** Loads BTF. Returns the time in milliseconds, and whether the kernel accepted it. */
async function load(bytes: Uint8Array): Promise<{ readonly ms: number; readonly accepted: boolean }> {
  const started = performance.now();
  try {
    (await btfLoad(bytes, 4_096)).close();
    return { ms: performance.now() - started, accepted: true };
  } catch (error) {
    if (!(error instanceof BpfError)) throw error;
    return { ms: performance.now() - started, accepted: false };
  }
}

needs('bpf').test('no random BTF takes the kernel ten times as long as estimated', async () => {
  const seed = Number(process.env['BTFD_SEED'] ?? Date.now() % 2 ** 31);
  const random = seeded(seed);
  const wrong: string[] = [];
  const counts = { refusedByUs: 0, accepted: 0, refused: 0, slow: 0 };
  for (let index = 0; index < CASES; index++) {
    const bytes = costlyBtf(random);
    const expected = estimate(bytes);
    if (expected === null) {
      counts.refusedByUs += 1;
      continue;
    }
    let least = Infinity;
    let limit = 0;
    // A busy machine delays a load: the fastest of some counts.
    for (let attempt = 0; attempt < TRIES && least > limit; attempt++) {
      const { ms, accepted } = await load(bytes);
      least = Math.min(least, ms);
      limit = WRONG * Math.max(SHORTEST_MS, accepted ? expected.acceptedMs : expected.refusedMs);
      if (attempt === 0) counts[accepted ? 'accepted' : 'refused'] += 1;
    }
    if (least > SHORTEST_MS) counts.slow += 1;
    if (least > limit) wrong.push(`${index}: ${least} ms, estimated ${JSON.stringify(expected)}`);
  }
  expect({ seed, wrong }).toEqual({ seed, wrong: [] });
  // Otherwise the test would show little.
  expect(Math.min(...Object.values(counts))).toBeGreaterThan(CASES / 100);
});
