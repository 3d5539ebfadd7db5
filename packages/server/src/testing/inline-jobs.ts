import type { ItemOf, Job, JobRunner } from '../pool/job.js';
import { SpecCache } from '../jobs/spec-cache.js';
import { stepsOf } from '../jobs/serve-jobs.js';

/** InlineJobs does jobs as workers do, but on this thread. */
export class InlineJobs implements JobRunner {
  readonly #specs = new SpecCache(64 * 1024 * 1024);

  async *run<J extends Job>(
    job: J,
    _principal: string,
    signal: AbortSignal,
  ): AsyncGenerator<ItemOf[J['name']], void, void> {
    signal.throwIfAborted();
    for (const item of stepsOf(job, this.#specs)) {
      if (item !== null) yield item as ItemOf[J['name']];
      signal.throwIfAborted();
    }
  }
}
