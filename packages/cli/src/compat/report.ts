import type { ObjectReport, ObjectSummary, Verdict } from '@btfd/btf';
import type { RemoteNeed, RemoteProgramResult, RemoteRelocationFinding } from '@btfd/client';

/** CompatFinding is a relocation or another need of an object. */
export type CompatFinding = RemoteRelocationFinding | RemoteNeed;

/** CompatReport says whether an object fits a kernel, in a file or of a daemon. */
export interface CompatReport extends Omit<ObjectSummary, 'needs' | 'relocations'> {
  /** The kernel's release and architecture; empty for a kernel in a file. */
  readonly kernelRelease: string;
  readonly machine: string;
  readonly programs: readonly RemoteProgramResult[];
  /** Those of the object itself. */
  readonly relocations: readonly RemoteRelocationFinding[];
  readonly needs: readonly RemoteNeed[];
}

/** localReport returns the report of the library about a kernel in a file. */
export function localReport(report: ObjectReport): CompatReport {
  return { ...report, kernelRelease: '', machine: '' };
}

/** isNotable reports whether a finding is part of a report without `--all`. */
export function isNotable({ verdict }: { readonly verdict: Verdict }): boolean {
  return verdict !== 'FITS' && verdict !== 'CHANGED';
}

/** isUnfit reports whether a verdict is that of an object that does not fit. */
export function isUnfit(verdict: Verdict): boolean {
  return verdict === 'AT_RISK' || verdict === 'FAILS';
}
