import type { KernelFacts } from '../kernel-table.js';
import type { Lab } from '../lab.js';

/** Check is one check of the matrix: something that holds on every kernel, or on those it applies to. */
export interface Check {
  /** A sentence that says what holds, as in the name of a test. The documents show it. */
  readonly title: string;
  /** Where it runs: a client on the host over mutual TLS, or a program in the machine. */
  readonly from: 'host' | 'inside';
  /** Why the check does not apply to a kernel, or null if it does. Default: it applies to all. */
  readonly except?: (facts: KernelFacts) => string | null;
  /** Runs it. @throws Error if it does not hold. */
  readonly run: (lab: Lab) => Promise<void>;
}

/** withoutKernelIds is the exception of checks that need ids of kernel BTF. */
export function withoutKernelIds({ kernelIds }: KernelFacts): string | null {
  return kernelIds ? null : 'the BTF of the kernel has no id, and modules have no BTF';
}

/** withKernelIds is the exception of checks of kernels without these ids. */
export function withKernelIds({ kernelIds }: KernelFacts): string | null {
  return kernelIds ? 'the BTF of the kernel has ids' : null;
}

/** reasonOf returns the reason of an error of a client. */
export function reasonOf(error: unknown): string | null {
  return error instanceof Error && 'reason' in error ? String(error.reason) : null;
}
