import type { Lab } from '../peers/lab.js';
import { judge, type Recorded, type RoundRatios, type Verdict } from './guard.js';
import { measureRound, openRow } from './measure-row.js';
import { OWN, type Row } from './row.js';
import { ratios } from './statistics.js';

/** Rounds of which the best counts. */
const ROUNDS = 3;
/** Rounds whose median is recorded. */
const RECORDED_ROUNDS = 5;

/**
 * runGuards checks the guards of the rows. A row whose guards all hold after a round is not measured again. The rows that
 * fail are measured again after all others, by new processes: a machine can be slower for longer than a row takes.
 *
 * @param report - is called with each verdict when it is known
 */
export async function runGuards(
  rows: readonly Row[],
  lab: Lab,
  recorded: Recorded,
  report: (verdict: Verdict) => void,
): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  const failed: Row[] = [];
  const keep = (found: readonly Verdict[]): void => {
    for (const verdict of found) report(verdict);
    verdicts.push(...found);
  };
  for (const row of rows) {
    const found = await guardRow(row, lab, recorded);
    if (found.some(fails)) failed.push(row);
    else keep(found);
  }
  for (const row of failed) keep(await guardRow(row, lab, recorded));
  return verdicts;
}

async function guardRow(row: Row, lab: Lab, recorded: Recorded): Promise<Verdict[]> {
  let found: Verdict[] = [];
  if (row.guards === undefined) return found;
  await eachRound(row, lab, ROUNDS, (measured) => {
    found = judge(row, measured, recorded);
    return found.some(fails);
  });
  return found;
}

function fails({ outcome }: Verdict): boolean {
  return outcome === 'fails';
}

/** measureGuards returns the ratios of several rounds of every row with guards, to be recorded. */
export async function measureGuards(rows: readonly Row[], lab: Lab): Promise<Map<string, RoundRatios>> {
  const all = new Map<string, RoundRatios>();
  for (const row of rows) {
    if (row.guards === undefined) continue;
    await eachRound(row, lab, RECORDED_ROUNDS, (measured) => {
      all.set(row.name, measured);
      return true;
    });
    console.log(row.name, JSON.stringify(all.get(row.name)));
  }
  return all;
}

/** Measures rounds of a row until there are enough, or until `next` returns false. */
async function eachRound(
  row: Row,
  lab: Lab,
  rounds: number,
  next: (measured: RoundRatios) => boolean,
): Promise<void> {
  await using opened = await openRow(row, lab);
  const [size = 0] = row.quickSizes ?? row.sizes ?? [];
  const found: Record<string, number[]> = {};
  for (let round = 0; round < rounds; round++) {
    const costs = await measureRound(row, opened, size);
    for (const { peer, metric } of row.guards ?? []) {
      const values = [OWN, peer, row.over ?? ''].map((name) => costs.get(name)?.[metric]);
      const [own = [], other = [], base] = values.map((value) => (value === undefined ? undefined : [value]));
      const over = row.over === undefined || row.over === peer ? undefined : base;
      found[peer] = [...(found[peer] ?? []), ...ratios(own, other, over)];
    }
    if (!next(found)) return;
  }
}
