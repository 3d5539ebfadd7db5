import { Builder } from '../build/builder.js';
import type { FeatureProbe } from './feature-table.js';

/** The errnos with which the kernel refuses BTF. Others say nothing about its features. */
const REFUSALS: ReadonlySet<string> = new Set(['EINVAL', 'E2BIG', 'EFAULT', 'ELOOP']);

/**
 * probeBtf makes the BTF of a probe, in the byte order of this machine.
 *
 * @throws BtfBuildError `INVALID_TYPE`, `LIMIT_EXCEEDED` or `UNSUPPORTED` for types that `Builder.add` refuses. The probes
 * of `FEATURE_ROWS` have none.
 */
export function probeBtf({ types, layout = false }: FeatureProbe): Uint8Array {
  const builder = new Builder({ deduplicate: false });
  for (const type of types) builder.add(type);
  return builder.marshal({ layout });
}

/**
 * probeResult returns whether a kernel has a feature. It returns null if the load says nothing, for example for lack of
 * memory.
 *
 * @param errno the name of the errno with which the kernel refused the BTF of the probe, or null if it accepted it.
 */
export function probeResult({ refusedWith }: FeatureProbe, errno: string | null): boolean | null {
  if (errno === null) return refusedWith === undefined;
  if (!REFUSALS.has(errno)) return null;
  return errno === refusedWith;
}
