import { aFunction, anAbortSignal, type Rules } from '../error/argument.js';

/** TransferProgress is the progress of a transfer of BTF. */
export interface TransferProgress {
  /** The kernel's name for the object that is being transferred. A module is followed by its base, `vmlinux`. */
  readonly name: string;
  /** The number of bytes received. */
  readonly received: number;
  /** The number of bytes to receive; null if the daemon does not know it, as for a C header. */
  readonly total: number | null;
}

/** TransferOptions are the options of a call that transfers BTF. */
export interface TransferOptions {
  /**
   * Aborting it rejects the call with the signal's reason, and cancels the transfer unless other calls wait for it.
   * Default: none.
   */
  readonly signal?: AbortSignal | undefined;
  /**
   * Called at the beginning and for each part of a transfer, and from the beginning again if the transfer is repeated.
   * It is not called for BTF that is in the cache. If it throws, the call rejects with its error; other calls that wait
   * for the same transfer continue. Default: none.
   */
  readonly onProgress?: ((progress: TransferProgress) => void) | undefined;
}

/** TRANSFER_RULES are the rules of {@link TransferOptions}. */
export const TRANSFER_RULES: Rules<TransferOptions> = { signal: anAbortSignal, onProgress: aFunction };
