import { parentPort, workerData } from 'node:worker_threads';
import type { Item, Job, Steps } from '../pool/job.js';
import type { ToWorker, WorkerSettings } from '../pool/protocol.js';
import { JobScheduler } from './job-scheduler.js';
import { loadSteps, rejectionSteps } from './load-job.js';
import { resolveSteps } from './resolve-job.js';
import type { SpecCache } from './spec-cache.js';
import { specSteps } from './spec-job.js';

/**
 * serveJobs makes this thread a worker that does jobs.
 *
 * @throws Error on the main thread.
 */
export function serveJobs(makeStepsOf: (settings: WorkerSettings) => (job: Job) => Steps<Item>): void {
  const port = parentPort;
  if (port === null) throw new Error('jobs can only be served by a worker thread');
  const settings: WorkerSettings = workerData;
  const scheduler = new JobScheduler(
    makeStepsOf(settings),
    settings.state,
    (message, transfer) => port.postMessage(message, transfer),
    setImmediate,
  );
  port.on('message', (message: ToWorker) => scheduler.receive(message));
}

/** stepsOf returns the steps of a job. */
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
