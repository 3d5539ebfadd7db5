import { ErrorReason } from '@btfd/api';
import { spareFiles } from '../base/max-open-files.js';
import { errorCode, errorMessage } from '../error/error-code.js';
import { ERRNO_REASONS } from '../error/error-table.js';
import { outOfFiles, toServiceError } from '../error/from-unknown.js';
import { ServiceError } from '../error/service-error.js';

/** FILES_OF_A_START is more than the 84 files that a worker opens at one time while Node loads its modules. */
export const FILES_OF_A_START = 128;

/** Files, threads or memory may be free again soon. A job can be repeated safely, because its worker did not start. */
const RETRY_MS = 1_000;

/**
 * startFailure returns the error of jobs whose worker could not start: OUT_OF_FILES if there are no files, OUT_OF_MEMORY
 * if there are no threads or no memory. The client may repeat such a call. For any other cause, which is a fault of the
 * installation, it returns INTERNAL.
 *
 * @param error - the error of Node
 * @param spare - returns how many more files the process may open
 */
export function startFailure(error: unknown, spare: () => number = spareFiles): ServiceError {
  const errno = startErrno(error);
  const detail = { retryMs: RETRY_MS, cause: error };
  // pthread_create fails with EAGAIN if there is no thread, and also if there is no memory.
  const reason = errno === 'EAGAIN' ? ErrorReason.OUT_OF_MEMORY : ERRNO_REASONS[errno];
  if (reason === ErrorReason.OUT_OF_FILES) return outOfFiles(detail);
  if (reason === ErrorReason.OUT_OF_MEMORY) {
    const message = `the daemon cannot start a thread: ${errno}`;
    return new ServiceError(reason, message, { ...detail, metadata: { errno_name: errno } });
  }
  // Node also reports a missing module if it cannot open the package.json of the module.
  return spare() < FILES_OF_A_START ? outOfFiles(detail) : toServiceError(error);
}

/** Returns the errno because of which a worker did not start, or another code of Node. */
function startErrno(error: unknown): string {
  const code = errorCode(error);
  // The message ends in the errno: "Worker initialization failure: EMFILE". If there is no thread, it is "EAGAIN".
  return code === 'ERR_WORKER_INIT_FAILED' ? (errorMessage(error).split(' ').at(-1) ?? '') : code;
}
