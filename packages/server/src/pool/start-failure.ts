import { ErrorReason } from '@btfd/api';
import { spareFiles } from '../base/max-open-files.js';
import { errorCode, errorMessage } from '../error/error-code.js';
import { ERRNO_REASONS } from '../error/error-table.js';
import { outOfFiles, toServiceError } from '../error/from-unknown.js';
import { ServiceError } from '../error/service-error.js';

/** FILES_OF_A_START is more than the 84 files that a worker opens at one time while Node loads its modules. */
export const FILES_OF_A_START = 128;

/** A lack may be over soon, and a job whose worker did not start can be repeated without harm. */
const RETRY_MS = 1_000;

/**
 * startFailure returns the error of jobs whose worker could not start. A lack of files, threads or memory has its own
 * reason, and the client may repeat the call. Any other cause is a fault of the installation, and INTERNAL.
 *
 * @param error - the error of Node
 * @param spare - returns how many more files the process may open
 */
export function startFailure(error: unknown, spare: () => number = spareFiles): ServiceError {
  const errno = startErrno(error);
  const detail = { retryMs: RETRY_MS, cause: error };
  // pthread_create fails with EAGAIN for a lack of threads and for a lack of memory.
  const reason = errno === 'EAGAIN' ? ErrorReason.OUT_OF_MEMORY : ERRNO_REASONS[errno];
  if (reason === ErrorReason.OUT_OF_FILES) return outOfFiles(detail);
  if (reason === ErrorReason.OUT_OF_MEMORY) {
    const message = `the daemon cannot start a thread: ${errno}`;
    return new ServiceError(reason, message, { ...detail, metadata: { errno_name: errno } });
  }
  // If Node cannot open a package.json, it reports a missing module.
  return spare() < FILES_OF_A_START ? outOfFiles(detail) : toServiceError(error);
}

/** Returns the errno for which a worker did not start, or another code of Node. */
function startErrno(error: unknown): string {
  const code = errorCode(error);
  // Such as "Worker initialization failure: EMFILE", and only "EAGAIN" if there is no thread.
  return code === 'ERR_WORKER_INIT_FAILED' ? (errorMessage(error).split(' ').at(-1) ?? '') : code;
}
