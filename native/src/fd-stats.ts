import { addon } from './addon.js';

/** FdStats counts the file descriptors of {@link BtfFd}s, for metrics and for tests that look for leaks. */
export interface FdStats {
  /** Open now. One that was closed during a read counts until the read is done. */
  readonly open: number;
  /** Those that nobody closed and the garbage collector found: each is a bug in the program. */
  readonly closedByFinalizer: number;
}

/** fdStats counts for this environment: the main thread and each worker have their own. */
export function fdStats(): FdStats {
  return addon().fdStats();
}
