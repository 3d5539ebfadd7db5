import { parentPort, workerData } from 'node:worker_threads';
import type { Item, Job, Steps } from '../pool/job.js';
import { JobScheduler } from './job-scheduler.js';
import type { ToWorker, WorkerSettings } from '../pool/protocol.js';

/** serveJobs makes this thread a worker that does jobs. */
export function serveJobs(makeStepsOf: (settings: WorkerSettings) => (job: Job) => Steps<Item>): void {
  const port = parentPort;
  if (port === null) throw new Error('this is the program of a worker');
  const settings: WorkerSettings = workerData;
  const scheduler = new JobScheduler(
    makeStepsOf(settings),
    settings.state,
    (message, transfer) => port.postMessage(message, transfer),
    setImmediate,
  );
  port.on('message', (message: ToWorker) => scheduler.receive(message));
}
