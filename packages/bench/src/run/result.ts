import type { Machine } from './machine.js';
import type { Goal, Metric } from './row.js';
import type { Summary } from './statistics.js';

/** Summaries are the metrics of one subject over all rounds, or their ratios to those of btfd. */
export type Summaries = Readonly<Partial<Record<Metric, Summary>>>;

/** Point is the measurement of a row at one size. */
export interface Point {
  /** 0 for a row without sizes. */
  readonly size: number;
  readonly subjects: Readonly<Record<string, Summaries>>;
  /** btfd's costs divided by those of each peer, pair by pair. */
  readonly ratios: Readonly<Record<string, Summaries>>;
}

/** Missing is a subject that was left out, and why. */
export interface Missing {
  readonly subject: string;
  readonly reason: string;
}

/** RowResult is the measurement of a row. */
export interface RowResult {
  readonly name: string;
  readonly title: string;
  readonly points: readonly Point[];
  /** The exponents with which the costs of each subject grow with the size. Empty for a row without sizes. */
  readonly slopes: Readonly<Record<string, Readonly<Partial<Record<Metric, number>>>>>;
  readonly goals: readonly Goal[];
  readonly over: string | null;
  readonly missing: readonly Missing[];
}

/** RunResult is everything that a run measured, as JSON has it. */
export interface RunResult {
  readonly machine: Machine;
  readonly rounds: number;
  readonly quick: boolean;
  readonly rows: readonly RowResult[];
}
