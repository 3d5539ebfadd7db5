import type { Item, Job } from './job.js';
import type { ErrorMessage } from './error-message.js';

/** ToWorker is what a worker is told. A job's start asks for its first item, too. */
export type ToWorker =
  | { readonly kind: 'start'; readonly id: number; readonly owner: string; readonly job: Job }
  | { readonly kind: 'next'; readonly id: number }
  | { readonly kind: 'cancel'; readonly id: number };

/** FromWorker is what a worker tells of the job with an id. */
export type FromWorker<Of = Item> =
  | { readonly kind: 'item'; readonly id: number; readonly item: Of }
  | { readonly kind: 'end'; readonly id: number }
  | { readonly kind: 'error'; readonly id: number; readonly error: ErrorMessage };

/** WorkerSettings are what a worker is started with. */
export interface WorkerSettings {
  readonly specCacheBytes: number;
  /** Shared memory: see {@link CURRENT_JOB} and {@link STEP_COUNT}. */
  readonly state: Int32Array;
}

/** CURRENT_JOB is where a worker writes the id of the job whose step it does, 0 between steps. */
export const CURRENT_JOB = 0;
/** STEP_COUNT is where a worker counts its steps, so that one that takes too long is noticed from outside. */
export const STEP_COUNT = 1;
/** STATE_BYTES is the size of the two. */
export const STATE_BYTES = 8;
