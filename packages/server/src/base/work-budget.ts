import { ErrorReason } from '@btfd/api';
import { ServiceError } from '../error/service-error.js';

/** The steps of a turn: a few milliseconds. */
const STEPS_PER_TURN = 1_000_000;

/**
 * The steps of a job: about 2 s. A step is about 4 ns, such as the comparison of two characters. To match 100 globs with
 * all names of a kernel takes a third of them.
 */
const MAX_STEPS = 512 * 1024 * 1024;

/** The kinds of work, each with what it is in an error, and what a client can do if there is too much of it. */
const ADVICE = {
  globs: ['matching the globs with the names of the types', 'send fewer globs, or names'],
  paths: ['resolving the paths', 'send fewer paths in one call'],
  names: ['finding the names', 'send fewer names'],
  types: ['collecting the types', 'select fewer types'],
  output: ['encoding the types', 'select fewer types'],
  report: ['encoding the findings', 'do not request all findings, or check fewer programs'],
} as const satisfies Readonly<Record<string, readonly [what: string, next: string]>>;

/** Work is the name of a kind of work. */
export type Work = keyof typeof ADVICE;

/** Budget counts the steps of some work. */
export interface Budget {
  /**
   * Counts steps. Returns whether other work should have a turn now.
   *
   * @throws Error if too many were taken.
   */
  spend(steps: number, work: Work): boolean;
}

/**
 * WorkBudget counts the steps of one job, whatever they are for. Limits of single steps do not bound a job: a request of a
 * few kilobytes can ask for many.
 */
export class WorkBudget implements Budget {
  readonly #limit: number;
  #spent = 0;
  #turn = 0;

  constructor(limit = MAX_STEPS) {
    this.#limit = limit;
  }

  /**
   * spend counts steps. It returns whether other jobs should have a turn now.
   *
   * @throws ServiceError WORK_TOO_LARGE if the job has taken more steps than a job may.
   */
  spend(steps: number, work: Work): boolean {
    this.#spent += steps;
    if (this.#spent > this.#limit) throw tooMuch(work, this.#limit);
    this.#turn += steps;
    if (this.#turn < STEPS_PER_TURN) return false;
    this.#turn = 0;
    return true;
  }
}

function tooMuch(work: Work, limit: number): ServiceError {
  const [what, next] = ADVICE[work];
  return new ServiceError(ErrorReason.WORK_TOO_LARGE, `${what} takes more than ${limit} steps: ${next}`, {
    metadata: { resource: 'steps', work, limit: String(limit) },
  });
}
