import { addon } from './addon.js';

/** Capabilities are the rights that a thread has now. */
export interface Capabilities {
  /** The effective set, one bit per capability of capabilities(7). */
  readonly effective: bigint;
  readonly sysAdmin: boolean;
  /** False on kernels before 5.8, where CAP_SYS_ADMIN stood for it. */
  readonly bpf: boolean;
}

const CAP_SYS_ADMIN = 21n;
const CAP_BPF = 39n;

/**
 * capabilities asks the kernel for the effective set of the calling thread, by capget(2).
 *
 * In a user namespace other than the initial one the set can be full and bpf(2) refuse nevertheless.
 */
export function capabilities(): Capabilities {
  const effective = addon().capabilities();
  const has = (capability: bigint) => ((effective >> capability) & 1n) === 1n;
  return { effective, sysAdmin: has(CAP_SYS_ADMIN), bpf: has(CAP_BPF) };
}
