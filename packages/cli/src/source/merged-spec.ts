import { dedup, merge, Spec } from '@btfd/btf';
import { usageError } from '../error/cli-error.js';
import type { Source } from './source.js';

/** LabeledSpec is the types of one SPEC, or of several. */
export interface LabeledSpec {
  readonly label: string;
  readonly spec: Spec;
}

/**
 * mergedSpec returns the types of a SPEC, or those of several modules of one kernel as BTF that is split from its
 * vmlinux. Equal types are merged, as bpftool 7.8 does it for several files.
 *
 * @throws CliError USAGE if several SPECs do not have the same base.
 */
export async function mergedSpec(sources: readonly Source[]): Promise<LabeledSpec> {
  const read: LabeledSpec[] = [];
  for (const source of sources) read.push({ label: source.label, spec: await source.spec() });
  const [first] = read;
  if (read.length === 1 && first !== undefined) return first;
  const common = read.find(({ spec }) => spec.base !== null)?.spec.base ?? null;
  if (common === null) {
    throw usageError(
      `${read.map(({ label }) => label).join(' and ')} have no common base`,
      'only modules of one kernel can be merged; name the base of files with --base',
    );
  }
  // The base itself has nothing to add.
  const modules = read.filter(({ spec }) => spec.base !== null || !isSame(spec, common));
  const specs = modules.map(({ label, spec }) => {
    if (spec.base !== null && isSame(spec.base, common)) return Spec.parse(spec.bytes, { base: common });
    throw usageError(`${label} has another base than the others`, 'only modules of one kernel can be merged');
  });
  const merged = Spec.parse(merge(specs, { base: common }).bytes, { base: common });
  const spec = Spec.parse(dedup(merged).bytes, { base: common });
  return { label: modules.map(({ label }) => label).join(' and '), spec };
}

function isSame(a: Spec, b: Spec): boolean {
  return a === b || Buffer.compare(a.bytes, b.bytes) === 0;
}
