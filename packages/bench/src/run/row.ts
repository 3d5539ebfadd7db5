import { compileGlob } from '@btfd/btf';
import type { Lab } from '../peers/lab.js';

/** METRICS are what a round measures. Each is a cost: lower is better. */
export const METRICS = {
  cpuUs: { title: 'CPU', unit: 'µs' },
  wallUs: { title: 'time', unit: 'µs' },
  p99Us: { title: 'p99', unit: 'µs' },
  coldCpuUs: { title: 'CPU, cold', unit: 'µs' },
  coldWallUs: { title: 'time, cold', unit: 'µs' },
  rssKib: { title: 'RSS', unit: 'KiB' },
} as const;

/** Metric is the name of a row of METRICS. */
export type Metric = keyof typeof METRICS;

/** METRIC_NAMES are the metrics in the order in which reports show them. */
export const METRIC_NAMES: readonly Metric[] = [
  'cpuUs',
  'wallUs',
  'p99Us',
  'coldCpuUs',
  'coldWallUs',
  'rssKib',
];

/** Costs are the metrics that one round measured. */
export type Costs = Readonly<Partial<Record<Metric, number>>>;

/** Measured is the result of one round of a subject. */
export interface Measured {
  readonly costs: Costs;
  /** The result of the work. Those of all subjects of a row must be equal, so that no peer does less work. */
  readonly result?: string;
}

/** Probe measures one subject of a row. */
export interface Probe {
  /**
   * Measures one round.
   *
   * @param size - one of the row's sizes, or 0
   * @returns null if this subject cannot do the work at this size
   */
  measure(size: number): Promise<Measured | null>;
  /** Ends what was started for this row alone. */
  close?(): Promise<void>;
}

/** OpenProbe prepares a subject. @throws MissingPeerError if the machine does not have it. */
export type OpenProbe = (lab: Lab) => Promise<Probe>;

/** Goal is a ratio or a number of issue 12. */
export interface Goal {
  readonly metric: Metric;
  /** Null if `atMost` is a number in the unit of the metric and not a ratio. */
  readonly peer: string | null;
  readonly atMost: number;
}

/** RowGuard is a ratio that CI checks. */
export interface RowGuard {
  readonly metric: Metric;
  readonly peer: string;
  /** A bound that holds whatever ratio is recorded. */
  readonly atMost?: number;
}

/** OWN is the name of the subject that is compared with all others. */
export const OWN = 'btfd';

/** Row compares btfd with its peers in one piece of work. */
export interface Row {
  /** The name, which filters match: `library/index`. */
  readonly name: string;
  readonly title: string;
  /** Its subjects, btfd first. */
  readonly subjects: Readonly<Record<string, OpenProbe>>;
  /** The sizes of a row about growth. */
  readonly sizes?: readonly number[];
  /** The sizes of a short run. */
  readonly quickSizes?: readonly number[];
  /** A subject whose costs are subtracted from both sides of each ratio. */
  readonly over?: string;
  readonly goals?: readonly Goal[];
  readonly guards?: readonly RowGuard[];
  /** Whether the results of the subjects may differ, with the reason. */
  readonly resultsDiffer?: string;
}

/** nameFilter returns whether a name matches one of some globs. No globs match every name. @throws GlobError */
export function nameFilter(globs: readonly string[]): (name: string) => boolean {
  const tests = globs.map((glob) => compileGlob(glob));
  return (name) => tests.length === 0 || tests.some((test) => test(name));
}
