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
  /** Whether a verifier log that does not fit has its true size (6.4). */
  readonly logTrueSize: boolean;
  /** The features that the daemon finds by probing. */
  readonly features: readonly FeatureName[];
}

/** FeatureName is the name of a feature in `ServerInfo.features`. */
export type FeatureName = 'btf' | 'func' | 'var' | 'func-linkage' | 'decl-tag' | 'type-tag' | 'enum64';

const SINCE_5_6: readonly FeatureName[] = ['btf', 'func', 'var', 'func-linkage'];
const SINCE_6_0: readonly FeatureName[] = [...SINCE_5_6, 'decl-tag', 'type-tag', 'enum64'];

/** KERNELS are the kernels that the tests boot, the oldest first. */
export const KERNELS: readonly KernelFacts[] = [
  {
    series: '5.10',
    inCi: false,
    kernelIds: false,
    keepsUnloadedIds: false,
    logTrueSize: false,
    features: SINCE_5_6,
  },
  {
    series: '6.1',
    inCi: true,
    kernelIds: true,
    keepsUnloadedIds: false,
    logTrueSize: false,
    features: SINCE_6_0,
  },
  {
    series: '6.12',
    inCi: false,
    kernelIds: true,
    keepsUnloadedIds: false,
    logTrueSize: true,
    features: SINCE_6_0,
  },
  {
    series: '6.16',
    inCi: false,
    kernelIds: true,
    keepsUnloadedIds: true,
    logTrueSize: true,
    features: SINCE_6_0,
  },
  {
    series: '6.18',
    inCi: false,
    kernelIds: true,
    keepsUnloadedIds: true,
    logTrueSize: true,
    features: SINCE_6_0,
  },
  {
    series: '7',
    inCi: true,
    kernelIds: true,
    keepsUnloadedIds: false,
    logTrueSize: true,
    features: SINCE_6_0,
  },
];
