import type { ItemOf, Job, JobRunner } from '../pool/job.js';
import { stepsWithCache } from '../jobs/steps-of.js';

/** InlineJobs does jobs like workers, but on this thread. */
export class InlineJobs implements JobRunner {
  readonly #stepsOf = stepsWithCache(64 * 1024 * 1024);

  async *run<J extends Job>(
    job: J,
    _principal: string,
    signal: AbortSignal,
  ): AsyncGenerator<ItemOf[J['name']], void, void> {
    signal.throwIfAborted();
    for (const item of this.#stepsOf(job)) {
      if (item !== null) yield item as ItemOf[J['name']];
      signal.throwIfAborted();
    }
  }
}

/** CountedJobs are inline jobs that are counted. */
export class CountedJobs extends InlineJobs {
  jobs = 0;

  override run<J extends Job>(
    ...args: [J, string, AbortSignal]
  ): AsyncGenerator<ItemOf[J['name']], void, void> {
    this.jobs += 1;
    return super.run(...args);
  }
}
