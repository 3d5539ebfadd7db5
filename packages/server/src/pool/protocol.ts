import type { Item, Job } from './job.js';
import type { ErrorMessage } from './error-message.js';

/** ToWorker is a message to a worker. The start of a job also requests its first item. */
export type ToWorker =
  | { readonly kind: 'start'; readonly id: number; readonly owner: string; readonly job: Job }
  | { readonly kind: 'next'; readonly id: number }
  | { readonly kind: 'cancel'; readonly id: number };

/** FromWorker is a message of a worker about the job with an id. */
export type FromWorker<Of = Item> =
  | { readonly kind: 'item'; readonly id: number; readonly item: Of }
  | { readonly kind: 'end'; readonly id: number }
  | { readonly kind: 'error'; readonly id: number; readonly error: ErrorMessage };

/** WorkerSettings are the data with which a worker starts. */
export interface WorkerSettings {
  readonly specCacheBytes: number;
  /** Shared memory: see {@link CURRENT_JOB} and {@link STEP_COUNT}. */
  readonly state: Int32Array;
}

/** CURRENT_JOB is the index where a worker writes the id of the job whose step it does, or 0 between steps. */
export const CURRENT_JOB = 0;
/** STEP_COUNT is the index where a worker counts its steps, so that the main thread notices one that takes too long. */
export const STEP_COUNT = 1;
/** STATE_BYTES is the size of the shared state. */
export const STATE_BYTES = 8;
