import type { Lab } from '../peers/lab.js';
import { MissingPeerError } from '../peers/programs.js';
import type { Missing, Point, RowResult, Summaries } from './result.js';
import { METRIC_NAMES, OWN, type Costs, type Metric, type Probe, type Row } from './row.js';
import { ratios, slope, summarize } from './statistics.js';

/** OpenRow is a row whose subjects are ready to be measured. */
export interface OpenRow extends AsyncDisposable {
  readonly probes: ReadonlyMap<string, Probe>;
  readonly missing: readonly Missing[];
}

/**
 * openRow prepares the subjects of a row. It leaves out those that the machine does not have.
 *
 * @throws MissingPeerError if the machine does not have a subject and the lab requires all of them.
 */
export async function openRow(row: Row, lab: Lab): Promise<OpenRow> {
  const probes = new Map<string, Probe>();
  const missing: Missing[] = [];
  const close = async (): Promise<void> => {
    for (const probe of probes.values()) await probe.close?.();
  };
  try {
    for (const [subject, open] of Object.entries(row.subjects)) {
      try {
        probes.set(subject, await open(lab));
      } catch (error) {
        if (!(error instanceof MissingPeerError) || lab.requiresPeers) throw error;
        missing.push({ subject, reason: error.message });
      }
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { probes, missing, [Symbol.asyncDispose]: close };
}

/**
 * measureRound measures each subject once, one after the other.
 *
 * @returns the costs of each subject, without those that cannot do the work at this size
 * @throws Error if the subjects have different results.
 */
export async function measureRound(
  row: Row,
  { probes }: Pick<OpenRow, 'probes'>,
  size: number,
): Promise<Map<string, Costs>> {
  const costs = new Map<string, Costs>();
  const results = new Map<string, string>();
  for (const [subject, probe] of probes) {
    const measured = await probe.measure(size);
    if (measured === null) continue;
    costs.set(subject, measured.costs);
    if (measured.result !== undefined) results.set(subject, measured.result);
  }
  if (row.resultsDiffer === undefined && new Set(results.values()).size > 1) {
    const list = [...results].map(([subject, result]) => `${subject} ${result}`).join(', ');
    throw new Error(`${row.name}: the subjects have different results: ${list}`);
  }
  return costs;
}

/** measureRow measures a row: its subjects alternately, as many rounds as requested, at each size. */
export async function measureRow(
  row: Row,
  lab: Lab,
  { rounds, quick }: { readonly rounds: number; readonly quick: boolean },
): Promise<RowResult> {
  await using opened = await openRow(row, lab);
  const points: Point[] = [];
  for (const size of (quick ? row.quickSizes : undefined) ?? row.sizes ?? [0]) {
    const measured: Map<string, Costs>[] = [];
    for (let round = 0; round < rounds; round++) measured.push(await measureRound(row, opened, size));
    // No subject can do the work at a size that exceeds the limits of the machine.
    if (measured.some((costs) => costs.size > 0)) points.push(pointOf(size, measured, row.over));
  }
  const { name, title, goals = [], over = null } = row;
  const slopes = row.sizes === undefined ? {} : slopesOf(points);
  return { name, title, points, slopes, goals, over, missing: opened.missing };
}

/** pointOf summarizes the rounds at one size. */
export function pointOf(size: number, rounds: readonly ReadonlyMap<string, Costs>[], over?: string): Point {
  const names = [...new Set(rounds.flatMap((round) => [...round.keys()]))];
  const valuesOf = (subject: string, metric: Metric): number[] =>
    rounds.flatMap((round) => round.get(subject)?.[metric] ?? []);
  const summaries = (values: (metric: Metric) => readonly number[]): Summaries =>
    Object.fromEntries(
      METRIC_NAMES.flatMap((metric) => {
        const found = values(metric);
        return found.length === 0 ? [] : [[metric, summarize(found)]];
      }),
    );
  const ratiosTo = (peer: string): Summaries =>
    summaries((metric) =>
      ratios(
        valuesOf(OWN, metric),
        valuesOf(peer, metric),
        over === undefined || over === peer ? undefined : valuesOf(over, metric),
      ),
    );
  const peers = names.filter((name) => name !== OWN);
  return {
    size,
    subjects: Object.fromEntries(names.map((name) => [name, summaries((metric) => valuesOf(name, metric))])),
    ratios: Object.fromEntries(peers.map((peer) => [peer, ratiosTo(peer)])),
  };
}

/** slopesOf returns the exponents with which the costs of each subject grow. */
export function slopesOf(points: readonly Point[]): RowResult['slopes'] {
  const names = [...new Set(points.flatMap(({ subjects }) => Object.keys(subjects)))];
  const ofSubject = (name: string): [Metric, number][] =>
    METRIC_NAMES.flatMap((metric) => {
      const costs = points.flatMap(({ size, subjects }): [number, number][] => {
        const summary = subjects[name]?.[metric];
        return summary === undefined ? [] : [[size, summary.median]];
      });
      const found = slope(costs);
      return found === null ? [] : [[metric, found]];
    });
  return Object.fromEntries(names.map((name) => [name, Object.fromEntries(ofSubject(name))]));
}
