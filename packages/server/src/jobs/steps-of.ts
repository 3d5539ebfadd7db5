import type { Item, Job, Steps } from '../pool/job.js';
import { loadSteps } from './load-job.js';
import { rejectionSteps } from './rejection-job.js';
import { resolveSteps } from './resolve-job.js';
import type { SpecCache } from './spec-cache.js';
import { specSteps } from './spec-job.js';

/** stepsOf are the steps of a job. */
export function stepsOf(job: Job, specs: SpecCache): Steps<Item> {
  switch (job.name) {
    case 'spec':
      return specSteps(job, specs);
    case 'resolve':
      return resolveSteps(job, specs);
    case 'load':
      return loadSteps(job);
    case 'rejection':
      return rejectionSteps(job);
  }
}
