import { ErrorReason } from '@btfd/api';
import { ServiceError } from '../error/service-error.js';

/** workTooLarge is the error of a job that took more than a job may. */
export function workTooLarge(what: 'time' | 'memory'): ServiceError {
  return new ServiceError(
    ErrorReason.WORK_TOO_LARGE,
    `what was asked for takes more ${what} than the daemon gives one request`,
    { metadata: { resource: what } },
  );
}

/** workerLost is the error of a job whose worker another job broke. */
export function workerLost(): ServiceError {
  return new ServiceError(
    ErrorReason.WORKER_LOST,
    'another request broke the worker that served this one: try again',
  );
}
