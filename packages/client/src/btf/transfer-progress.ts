import { aFunction, anAbortSignal, type Rules } from '../error/argument.js';

/** TransferProgress tells how far a transfer of BTF is. */
export interface TransferProgress {
  /** The kernel's name for the object that is transferred: a module's base comes behind it, as `vmlinux`. */
  readonly name: string;
  /** Bytes received. */
  readonly received: number;
  /** Bytes to receive; null where the daemon does not know, as for a C header. */
  readonly total: number | null;
}

/** TransferOptions are the options of a call that transfers BTF. */
export interface TransferOptions {
  /** Aborting it cancels the transfer, unless others wait for the same one. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Told at the beginning and with each part of a transfer, and again from the beginning where it had to be repeated.
   * Not told of BTF that is in the cache. What it throws the call rejects with; others who wait for the transfer go on.
   */
  readonly onProgress?: ((progress: TransferProgress) => void) | undefined;
}

/** TRANSFER_RULES are the rules of {@link TransferOptions}. */
export const TRANSFER_RULES: Rules<TransferOptions> = { signal: anAbortSignal, onProgress: aFunction };
