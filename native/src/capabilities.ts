import { addon } from './addon.js';

/** Capabilities are the effective capabilities of a thread. */
export interface Capabilities {
  /** The effective set, one bit per capability of capabilities(7). */
  readonly effective: bigint;
  readonly sysAdmin: boolean;
  /** False on kernels before 5.8, which have CAP_SYS_ADMIN instead. */
  readonly bpf: boolean;
}

const CAP_SYS_ADMIN = 21n;
const CAP_BPF = 39n;

/**
 * capabilities returns the effective set of the calling thread, from capget(2). Needs no privilege.
 *
 * bpf(2) can refuse even with a full set, if the thread is not in the initial user namespace.
 *
 * @throws BpfUnavailableError if the addon cannot be loaded.
 */
export function capabilities(): Capabilities {
  const effective = addon().capabilities();
  const has = (capability: bigint) => ((effective >> capability) & 1n) === 1n;
  return { effective, sysAdmin: has(CAP_SYS_ADMIN), bpf: has(CAP_BPF) };
}
