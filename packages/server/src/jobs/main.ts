// The program of a worker thread: `#worker` in package.json.
import { serveJobs } from './job-scheduler.js';
import { stepsWithCache } from './steps-of.js';

serveJobs(({ specCacheBytes }) => stepsWithCache(specCacheBytes));
