import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Lab } from '../peers/lab.js';
import { MissingPeerError } from '../peers/programs.js';
import { measureRow } from './measure-row.js';
import { nameFilter, type Costs, type OpenProbe, type Row } from './row.js';
import { runGuards } from './run-guards.js';

let lab: Lab;
let strict: Lab;
beforeAll(() => {
  lab = new Lab({ requiresPeers: false, quick: true, cpuProf: null });
  strict = new Lab({ requiresPeers: true, quick: true, cpuProf: null });
});
afterAll(async () => {
  await lab[Symbol.asyncDispose]();
  await strict[Symbol.asyncDispose]();
});

const ROUNDS = { rounds: 3, quick: false };

/** Returns a subject that costs what a list says, also if it is opened again, and notes what happens to it. */
function costing(name: string, costs: readonly Costs[], seen: string[] = [], result = 'same'): OpenProbe {
  let round = 0;
  return async () => {
    return {
      async measure(size) {
        seen.push(size === 0 ? name : `${name} ${size}`);
        const cost = costs[round % costs.length] ?? {};
        round += 1;
        return { costs: cost, result };
      },
      async close() {
        seen.push(`close ${name}`);
      },
    };
  };
}

const missing: OpenProbe = async () => {
  throw new MissingPeerError('go is missing: run `make`');
};

function rowOf(subjects: Row['subjects'], more: Partial<Row> = {}): Row {
  return { name: 'library/row', title: 'a row', subjects, ...more };
}

describe('measureRow', () => {
  test('measures the subjects alternately, and closes them', async () => {
    const seen: string[] = [];
    const row = rowOf({
      btfd: costing('btfd', [{ cpuUs: 1 }], seen),
      go: costing('go', [{ cpuUs: 2 }], seen),
    });
    await measureRow(row, lab, ROUNDS);
    expect(seen).toEqual(['btfd', 'go', 'btfd', 'go', 'btfd', 'go', 'close btfd', 'close go']);
  });

  test('takes the median of the ratios of pairs, not the ratio of the medians', async () => {
    const row = rowOf({
      btfd: costing('btfd', [{ cpuUs: 1 }, { cpuUs: 10 }, { cpuUs: 100 }]),
      go: costing('go', [{ cpuUs: 10 }, { cpuUs: 100 }, { cpuUs: 10 }]),
    });
    const { points } = await measureRow(row, lab, ROUNDS);
    expect(points[0]?.ratios['go']?.cpuUs).toMatchObject({ median: 0.1, values: [0.1, 0.1, 10] });
    expect(points[0]?.subjects['btfd']?.cpuUs?.median).toBe(10);
  });

  test('leaves out a peer that the machine does not have, and says why', async () => {
    const row = rowOf({ btfd: costing('btfd', [{ cpuUs: 1 }]), go: missing });
    const result = await measureRow(row, lab, ROUNDS);
    expect(result.missing).toEqual([{ subject: 'go', reason: 'go is missing: run `make`' }]);
    expect(Object.keys(result.points[0]?.subjects ?? {})).toEqual(['btfd']);
  });

  test('fails without a peer if all are required, and closes the others', async () => {
    const seen: string[] = [];
    const row = rowOf({ btfd: costing('btfd', [{ cpuUs: 1 }], seen), go: missing });
    await expect(measureRow(row, strict, ROUNDS)).rejects.toThrow('go is missing');
    expect(seen).toEqual(['close btfd']);
  });

  test('fails if the subjects have different results, unless the row gives the reason', async () => {
    const subjects = {
      btfd: costing('btfd', [{ cpuUs: 1 }]),
      go: costing('go', [{ cpuUs: 1 }], [], 'less'),
    };
    await expect(measureRow(rowOf(subjects), lab, ROUNDS)).rejects.toThrow('btfd same, go less');
    await measureRow(rowOf(subjects, { resultsDiffer: 'a reason' }), lab, ROUNDS);
  });

  test('measures each size, and the growth', async () => {
    const square: OpenProbe = async () => ({
      measure: async (size) => (size > 1_000 ? null : { costs: { cpuUs: size ** 2 } }),
    });
    const row = rowOf({ btfd: square }, { sizes: [10, 100, 1_000, 10_000] });
    const { points, slopes } = await measureRow(row, lab, ROUNDS);
    expect(points.map(({ size, subjects }) => [size, subjects['btfd']?.cpuUs?.median])).toEqual([
      [10, 100],
      [100, 10_000],
      [1_000, 1_000_000],
    ]);
    expect(slopes['btfd']?.cpuUs).toBeCloseTo(2, 10);
  });
});

describe('runGuards', () => {
  const guarded = (costs: readonly number[], seen: string[] = []): Row =>
    rowOf(
      {
        btfd: costing(
          'btfd',
          costs.map((cpuUs) => ({ cpuUs })),
          seen,
        ),
        go: costing('go', [{ cpuUs: 100 }]),
      },
      { guards: [{ metric: 'cpuUs', peer: 'go' }] },
    );
  const recorded = { 'library/row': { go: 1 } };

  test('measures a row that is too slow again after the others, three rounds each time', async () => {
    const seen: string[] = [];
    const rows = [
      guarded([201, 300, 250, 210, 202, 205], seen),
      { ...guarded([1], seen), name: 'library/other' },
    ];
    const known = { ...recorded, 'library/other': { go: 1 } };
    const verdicts = await runGuards(rows, lab, known, () => {});
    expect(verdicts).toMatchObject([
      { row: 'library/other', outcome: 'holds' },
      { row: 'library/row', outcome: 'fails', best: 2.02 },
    ]);
    const rounds = ['btfd', 'btfd', 'btfd', 'close btfd'];
    expect(seen).toEqual([...rounds, 'btfd', 'close btfd', ...rounds]);
  });

  test('accepts a row that is fast enough the second time', async () => {
    const reported: string[] = [];
    const verdicts = await runGuards([guarded([201, 300, 250, 199])], lab, recorded, ({ outcome }) =>
      reported.push(outcome),
    );
    expect(verdicts).toMatchObject([{ outcome: 'holds', best: 1.99 }]);
    expect(reported).toEqual(['holds']);
  });

  test('stops at the first round that is fast enough', async () => {
    const seen: string[] = [];
    const verdicts = await runGuards([guarded([201, 199, 1], seen)], lab, recorded, () => {});
    expect(verdicts).toMatchObject([{ outcome: 'holds', best: 1.99 }]);
    expect(seen).toEqual(['btfd', 'btfd', 'close btfd']);
  });

  test('leaves out a row without its peer', async () => {
    const row = rowOf(
      { btfd: costing('btfd', [{ cpuUs: 1 }]), go: missing },
      { guards: [{ metric: 'cpuUs', peer: 'go' }] },
    );
    expect(await runGuards([row], lab, recorded, () => {})).toMatchObject([{ outcome: 'left out' }]);
  });
});

test.each([
  [[], 'wire/iterate', true],
  [['wire/*'], 'wire/iterate', true],
  [['wire/*'], 'library/index', false],
  [['library/*', '*iterate'], 'wire/iterate', true],
  [['iterate'], 'wire/iterate', false],
])('the filter %j and %s: %s', (globs, name, expected) => {
  expect(nameFilter(globs)(name)).toBe(expected);
});
