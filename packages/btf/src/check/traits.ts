import { type VerifierTraits, verifierTraits } from '../reach/program.js';
import { enumValues, type KernelObject } from './kernel-objects.js';

/** Values of the enums of bpf(2) that appeared with a trait of the verifier, or after it. */
const SIGNS = {
  /** Linux 5.5. */
  readsData: ['bpf_func_id', 'BPF_FUNC_probe_read_kernel'],
  /** Linux 5.10. */
  computesXor: ['bpf_func_id', 'BPF_FUNC_redirect_peer'],
  /** Linux 6.9. */
  checksCalledGlobals: ['bpf_cmd', 'BPF_TOKEN_CREATE'],
} as const;

/**
 * kernelTraits returns the traits of a kernel's verifier. The enums in its BTF say more than its version where a vendor
 * has backported BPF.
 *
 * @param version as in `LINUX_KERNEL_VERSION`; null if it is not known.
 */
export function kernelTraits(vmlinux: KernelObject, version: number | null): VerifierTraits {
  const byVersion = verifierTraits(version);
  const has = ([name, value]: readonly [string, string]): boolean =>
    enumValues(vmlinux, name)?.has(value) ?? false;
  return {
    readsData: byVersion.readsData || has(SIGNS.readsData),
    computesXor: byVersion.computesXor || has(SIGNS.computesXor),
    checksAllGlobals: byVersion.checksAllGlobals && !has(SIGNS.checksCalledGlobals),
  };
}
