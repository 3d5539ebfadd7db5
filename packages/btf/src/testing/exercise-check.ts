import { checkObject, type CheckObjectOptions } from '../check/check-object.js';
import type { ObjectReport } from '../check/report.js';
import { VERDICTS, worstOf } from '../check/verdict.js';
import type { CoreTarget } from '../core/candidates.js';
import { BtfReadError } from '../format-error.js';
import { parseBpfObject } from '../object/bpf-object.js';
import { VERSION } from './check-case.js';

/**
 * exerciseCheck checks hostile bytes by the rules of both loaders.
 *
 * @returns the number of reports; the others ended in a BtfFormatError.
 * @throws Error if something else was thrown, or a report contradicts itself.
 */
export function exerciseCheck(bytes: Uint8Array, target: CoreTarget): number {
  let reports = 0;
  for (const loader of ['libbpf', 'cilium'] as const) {
    const report = reportOf(bytes, target, { loader, kernelVersion: VERSION });
    if (report === null) continue;
    reports += 1;
    const contradiction = contradictionOf(report);
    if (contradiction !== null) throw new Error(`${loader}: ${contradiction}`);
  }
  return reports;
}

function reportOf(bytes: Uint8Array, target: CoreTarget, options: CheckObjectOptions): ObjectReport | null {
  try {
    return checkObject(parseBpfObject(bytes), target, options);
  } catch (error) {
    if (error instanceof BtfReadError) return null;
    throw error;
  }
}

/** Rules that hold for every report. Returns the one that is broken. */
function contradictionOf({ programs, needs, relocations, counts, verdict }: ObjectReport): string | null {
  const loaded = programs.filter((program) => program.loaded);
  const allNeeds = [...loaded.flatMap((program) => program.needs), ...needs];
  const allRelocations = [...loaded.flatMap((program) => program.relocations), ...relocations];
  const findings = [...allNeeds, ...allRelocations];
  if (verdict !== worstOf(findings.map((finding) => finding.verdict))) return 'the verdict is not the worst';
  if (counts.map((count) => count.verdict).join() !== VERDICTS.join())
    return 'counts are not of all verdicts';
  for (const count of counts) {
    const isOf = (finding: { readonly verdict: unknown }): boolean => finding.verdict === count.verdict;
    const own = [allNeeds, allRelocations, loaded].map((all) => all.filter(isOf).length);
    if (own.join() !== [count.needs, count.relocations, count.programs].join())
      return `counts of ${count.verdict}`;
  }
  for (const { near, verdict: own, reason } of findings) {
    const isHarmless = VERDICTS.indexOf(own) < VERDICTS.indexOf('AT_RISK');
    if (near.length > 3 || (near.length > 0 && isHarmless)) return `near names of a finding that is ${own}`;
    if (!isHarmless && reason === '') return `no reason for ${own}`;
  }
  const unbounded = allRelocations.find(
    ({ relocation: { candidates, candidateCount, local } }) =>
      candidates.length > 16 || candidates.length > candidateCount || (local?.text.length ?? 0) > 1025,
  );
  return unbounded === undefined ? null : 'a relocation has too many candidates, or words';
}
