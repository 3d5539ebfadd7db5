import type { Item, Job, Steps } from '../pool/job.js';
import { checkSteps } from './check-job.js';
import { loadSteps, rejectionSteps } from './load-job.js';
import { resolveSteps } from './resolve-job.js';
import { SpecCache } from './spec-cache.js';
import { specSteps } from './spec-job.js';

/**
 * stepsWithCache returns a function that returns the steps of a job. All jobs share one cache of parsed BTF.
 *
 * @param specCacheBytes the size of the cache.
 */
export function stepsWithCache(specCacheBytes: number): (job: Job) => Steps<Item> {
  const specs = new SpecCache(specCacheBytes);
  return (job) => {
    switch (job.name) {
      case 'spec':
        return specSteps(job, specs);
      case 'resolve':
        return resolveSteps(job, specs);
      case 'load':
        return loadSteps(job);
      case 'rejection':
        return rejectionSteps(job);
      case 'check':
        return checkSteps(job, specs);
    }
  };
}
