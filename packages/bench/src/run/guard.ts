import type { Row } from './row.js';
import { median } from './statistics.js';

/** Recorded are the ratios that a run with `--record` measured, by row and peer. */
export type Recorded = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** A row fails if it is worse than its recorded ratio by more than this factor. */
const FACTOR = 2;

/** Verdict is the outcome of a guard. */
export interface Verdict {
  readonly row: string;
  readonly peer: string;
  /** The best ratio of the rounds. Null if there is none, because the peer is missing. */
  readonly best: number | null;
  readonly bound: number | null;
  readonly outcome: 'holds' | 'fails' | 'left out';
  /** Why it fails or is left out. Empty if it holds. */
  readonly reason: string;
}

/** RoundRatios are the ratios of a row's rounds until now, by peer. */
export type RoundRatios = Readonly<Record<string, readonly number[]>>;

/**
 * judge decides the guards of a row. The best round counts, because a busy machine makes rounds worse and never better.
 *
 * @param measured - the ratios of the row's own metric of each guard
 */
export function judge(
  row: Pick<Row, 'name' | 'guards'>,
  measured: RoundRatios,
  recorded: Recorded,
): Verdict[] {
  return (row.guards ?? []).map(({ peer, atMost }): Verdict => {
    const known = recorded[row.name]?.[peer];
    const bounds = [known === undefined ? [] : known * FACTOR, atMost ?? []].flat();
    const bound = bounds.length === 0 ? null : Math.min(...bounds);
    const found = measured[peer] ?? [];
    const best = found.length === 0 ? null : Math.min(...found);
    const [outcome, reason] = outcomeOf(peer, best, bound, atMost);
    return { row: row.name, peer, best, bound, outcome, reason };
  });
}

function outcomeOf(
  peer: string,
  best: number | null,
  bound: number | null,
  atMost: number | undefined,
): [outcome: Verdict['outcome'], reason: string] {
  if (best === null) return ['left out', `${peer} is missing`];
  if (bound === null) return ['fails', 'no ratio is recorded: run `pnpm bench --record`'];
  if (best <= bound) return ['holds', ''];
  const why = bound === atMost ? `${atMost} × ${peer}` : `${FACTOR} × the recorded ratio`;
  return ['fails', `more than ${why}`];
}

/** formatVerdict returns a line about a verdict. */
export function formatVerdict({ row, peer, best, bound, outcome, reason }: Verdict): string {
  const numbers =
    best === null || bound === null ? '' : `${best.toPrecision(3)}, at most ${bound.toPrecision(3)}`;
  const parts = [outcome.padEnd(8), `${row}: btfd / ${peer}`, numbers, reason];
  return parts.filter((part) => part !== '').join('  ');
}

/** record returns the recorded ratios with those of some rows replaced by the medians of their rounds. */
export function record(recorded: Recorded, measured: ReadonlyMap<string, RoundRatios>): Recorded {
  const added = [...measured].map(([row, peers]): [string, Record<string, number>] => [
    row,
    {
      ...recorded[row],
      ...Object.fromEntries(
        Object.entries(peers)
          .filter(([, ratios]) => ratios.length > 0)
          .map(([peer, ratios]) => [peer, Number(median(ratios).toPrecision(3))]),
      ),
    },
  ]);
  return Object.fromEntries(
    Object.entries({ ...recorded, ...Object.fromEntries(added) }).toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
}
