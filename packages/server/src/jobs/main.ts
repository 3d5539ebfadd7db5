import { serveJobs } from './serve-jobs.js';
import { SpecCache } from './spec-cache.js';
import { stepsOf } from './steps-of.js';

serveJobs(({ specCacheBytes }) => {
  const specs = new SpecCache(specCacheBytes);
  return (job) => stepsOf(job, specs);
});
