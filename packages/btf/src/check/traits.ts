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
  /** Linux 6.1. */
  passesStructs: ['bpf_map_type', 'BPF_MAP_TYPE_USER_RINGBUF'],
  /** Linux 6.4. */
  loadsFunctions: ['bpf_attach_type', 'BPF_NETFILTER'],
  /** Linux 6.7. */
  passesMoreArguments: ['bpf_attach_type', 'BPF_NETKIT_PRIMARY'],
} as const;

/**
 * kernelTraits returns the traits of a kernel's verifier. The enums in its BTF say more than its version where a vendor
 * has backported BPF.
 *
 * @param version as in `LINUX_KERNEL_VERSION`; null if it is not known.
 */
export function kernelTraits(vmlinux: KernelObject, version: number | null): VerifierTraits {
  const byVersion = verifierTraits(version);
  return {
    readsData: byVersion.readsData || has(vmlinux, SIGNS.readsData),
    computesXor: byVersion.computesXor || has(vmlinux, SIGNS.computesXor),
    checksAllGlobals: byVersion.checksAllGlobals && !has(vmlinux, SIGNS.checksCalledGlobals),
  };
}

/** The words of arguments that the trampolines of every machine pass: by version, the latest first. */
const ARGUMENT_WORDS = [
  // arm64 passes as many as x86-64.
  [(6 << 16) | (17 << 8), 12],
  // x86-64 passes 12, arm64 passes 8.
  [(6 << 16) | (6 << 8), 8],
  [0, 6],
] as const;

/**
 * argumentWords returns the words of arguments that functions may have for the kernel to call programs with them, on each
 * machine.
 *
 * @param version as in `LINUX_KERNEL_VERSION`; null if it is not known.
 */
export function argumentWords(vmlinux: KernelObject, version: number | null): number {
  const [[, most], [, more], [, few]] = ARGUMENT_WORDS;
  const [, byVersion] = ARGUMENT_WORDS.find(([since]) => since <= (version ?? 0)) ?? [0, few];
  return byVersion < most && has(vmlinux, SIGNS.passesMoreArguments) ? more : byVersion;
}

/**
 * passesStructs reports whether the kernel calls programs for functions that take a struct.
 *
 * @param version as in `LINUX_KERNEL_VERSION`; null if it is not known.
 */
export function passesStructs(vmlinux: KernelObject, version: number | null): boolean {
  return (version ?? 0) >= ((6 << 16) | (1 << 8)) || mayHave(vmlinux, SIGNS.passesStructs);
}

/**
 * loadsFunctions reports whether the kernel lets programs load the address of a kernel function, to see whether it exists.
 *
 * @param version as in `LINUX_KERNEL_VERSION`; null if it is not known.
 */
export function loadsFunctions(vmlinux: KernelObject, version: number | null): boolean {
  return (version ?? 0) >= ((6 << 16) | (4 << 8)) || mayHave(vmlinux, SIGNS.loadsFunctions);
}

/** Without the enum nothing is known. */
function mayHave(vmlinux: KernelObject, sign: readonly [string, string]): boolean {
  return has(vmlinux, sign) || enumValues(vmlinux.spec, sign[0]) === null;
}

function has(vmlinux: KernelObject, [name, value]: readonly [string, string]): boolean {
  return enumValues(vmlinux.spec, name)?.byName.has(value) ?? false;
}
