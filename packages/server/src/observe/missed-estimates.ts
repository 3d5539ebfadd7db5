import type { Logger } from 'pino';
import type { Clock } from '../base/clock.js';
import type { LoadTimes } from '../kernel/load-queue.js';
import { LineBudget } from './line-budget.js';

const MESSAGE = 'the kernel took much longer for a load than estimated: see docs/loads.md';

/** MissedEstimates warns about loads that took much longer than estimated, once in each time window. */
export class MissedEstimates {
  readonly #logger: Logger;
  /** Counts the warnings that are left out. */
  readonly budget: LineBudget;

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger;
    this.budget = new LineBudget(1, clock, (_, leftOut) => logger.warn({ leftOut }, MESSAGE));
  }

  /** note writes a warning about a load, or counts it. */
  note({ tookMs, estimatedMs, btfBytes }: LoadTimes): void {
    if (!this.budget.allows({})) return;
    const times = { tookMs: Math.round(tookMs), estimatedMs: Math.round(estimatedMs) };
    this.#logger.warn({ ...times, btfBytes }, MESSAGE);
  }
}
