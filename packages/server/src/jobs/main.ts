// The program of a worker thread: `#worker` in package.json.
import { serveJobs, stepsOf } from './serve-jobs.js';
import { SpecCache } from './spec-cache.js';

serveJobs(({ specCacheBytes }) => {
  const specs = new SpecCache(specCacheBytes);
  return (job) => stepsOf(job, specs);
});
