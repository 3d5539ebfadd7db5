import type { Spec } from '../spec.js';

/** kindCounts counts the own types of a spec by kind. */
export function kindCounts(spec: Spec): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { kind } of spec) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}
