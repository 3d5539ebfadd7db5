import { type FeatureName } from '@btfd/btf';

/** KernelFacts are what differs between kernels. Tests expect it, and docs/kernels.md and README.md show it. */
export interface KernelFacts {
  /** The series of releases, and the name of the kernel in scripts/kernel-packages.json. */
  readonly series: string;
  /** Whether CI boots it. `pnpm test:kernels` boots all. */
  readonly inCi: boolean;
  /** Whether the BTF of the kernel itself and of modules has ids (5.11). */
  readonly kernelIds: boolean;
  /** Whether the kernel keeps the id of an unloaded module while a file descriptor holds its BTF. */
  readonly keepsUnloadedIds: boolean;
  /** Whether the kernel reports the size of a verifier log that does not fit (6.4). */
  readonly logTrueSize: boolean;
  /** The calls that take a BPF token: none before 6.9, then loads, and since 6.15 also opening objects by id. */
  readonly tokens: 'none' | 'load' | 'load and open';
  /** The features that its release lacks, but Debian's package has: fixes of stable releases. */
  readonly backports: readonly FeatureName[];
}

/** KERNELS are the kernels that the tests boot, the oldest first. */
export const KERNELS: readonly KernelFacts[] = [
  row('5.10', { kernelIds: false, logTrueSize: false, tokens: 'none', backports: ['dotNames'] }),
  row('6.1', { inCi: true, logTrueSize: false, tokens: 'none', backports: ['dotNames'] }),
  row('6.12', { tokens: 'load', backports: ['ownershipDepth', 'uniqueFields'] }),
  row('6.16', { keepsUnloadedIds: true }),
  row('6.18', { keepsUnloadedIds: true }),
  row('7', { inCi: true }),
];

/** Returns a row of the table, like most newer kernels except for some facts. */
function row(series: string, differences: Partial<KernelFacts>): KernelFacts {
  return {
    series,
    inCi: false,
    kernelIds: true,
    keepsUnloadedIds: false,
    logTrueSize: true,
    tokens: 'load and open',
    backports: [],
    ...differences,
  };
}
