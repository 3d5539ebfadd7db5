import * as fc from 'fast-check';
import { describe, expect, test } from '@jest/globals';
import { LifecycleDriver, type LifecycleOp } from '../testing/lifecycle-driver.js';

const SEED = 20_261_125;
const RUNS = 2_000;
const MAX_OPS = 60;

const pick = fc.nat(999);
const picks = fc.array(pick, { minLength: 1, maxLength: 3 });
const ttl = fc.constantFrom(null, 1, 100, 300, 700, 5_000);
const op = <Op extends LifecycleOp['op']>(...ops: readonly Op[]) => fc.constantFrom(...ops);

const operation: fc.Arbitrary<LifecycleOp> = fc.oneof(
  fc.record({ op: op('load'), ttl }),
  fc.record({ op: op('open', 'clone', 'take'), pick, ttl }),
  fc.record({ op: op('info', 'use', 'use', 'endUse', 'disconnect', 'unload'), pick }),
  fc.record({ op: op('renew'), picks }),
  { arbitrary: fc.record({ op: op('close'), picks }), weight: 2 },
  {
    arbitrary: fc.record({ op: op('advance'), ms: fc.constantFrom(1, 50, 99, 100, 250, 699, 700, 2_000) }),
    weight: 2,
  },
  fc.record({ op: op('stream') }),
  { arbitrary: fc.record({ op: op('next'), pick }), weight: 6 },
);

/** How often each property of docs/lifecycle.md was checked. */
const checks = new Map<string, number>();

describe('In any order of loads, opens, clones, takes, renewals, uses, closes, streams, disconnects and time', () => {
  test(`handles do what the model says: ${RUNS} runs, seed ${SEED}`, async () => {
    const runs = fc.asyncProperty(
      fc.array(operation, { maxLength: MAX_OPS, size: 'max' }),
      async (operations) => {
        const driver = await LifecycleDriver.start(checks);
        for (const each of operations) await driver.run(each);
        await driver.finish();
      },
    );
    await fc.assert(runs, { seed: SEED, numRuns: RUNS });
  });

  test.each([
    ['[H1] an open handle is one file descriptor'],
    ['[H2] a handle is held by its lease or by one stream'],
    ['[H3] an open handle’s object exists, and a removed one says so'],
    ['[H4] a handle is closed once, and not found from then on'],
    ['[H5] closing returns whether it was open'],
    ['[H6] clones are independent'],
    ['[L1] a lease has the requested TTL, within the limits'],
    ['[L2] a lease expires after its TTL, neither earlier nor later'],
    ['[L3] renewing restores the full TTL'],
    ['[L4] a lease does not expire during a use, which renews it at its end'],
    ['[L5] the remaining TTL is returned'],
    ['[L6] a handle in use can be closed'],
    ['[L7] renewing returns which tokens are open'],
    ['[S1] a handle that a stream holds has no lease'],
    ['[S2] the end of a stream closes the handles that it holds'],
    ['[S3] taking gives a lease, and keeps the token'],
    ['[S4] taking again renews with the same TTL'],
    ['[S5] a stream holds no more than its limit'],
    ['[S6] a stream ends when it holds no handle any more'],
    ['[S7] a stream that waits too long ends'],
    ['[D1] a handle has the epoch'],
    ['[D2] a token of another run is recognized'],
    ['[D3] the end of the daemon closes everything'],
  ])('%s', (name) => {
    const property = /\[(\w+)\]/.exec(name)?.[1] ?? '';
    // Each was checked often enough for a fault to show.
    expect(checks.get(property)).toBeGreaterThan(100);
  });
});
