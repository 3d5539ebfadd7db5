import type {
  ByteOrder,
  Need,
  ObjectReport,
  RelocationFinding,
  ResolvedRelocation,
  Verdict,
  VerdictCount,
} from '@btfd/btf';

/** CompatRelocation is a CO-RE relocation as a loader resolves it, and what it means for the load. */
export interface CompatRelocation extends Omit<RelocationFinding, 'relocation'> {
  readonly relocation: Omit<ResolvedRelocation, 'program' | 'loadedFor' | 'outcome' | 'reason'> & {
    /** The program or subprogram that has the instruction; null if none does. */
    readonly program: { readonly name: string } | null;
    /** `UNKNOWN` from a daemon of a later release. */
    readonly outcome: ResolvedRelocation['outcome'] | 'UNKNOWN';
  };
}

/** CompatNeed is something that an object needs of the kernel and that is not a relocation. */
export interface CompatNeed extends Omit<Need, 'kind'> {
  /** `UNKNOWN` from a daemon of a later release. */
  readonly kind: Need['kind'] | 'UNKNOWN';
}

/** CompatFinding is one or the other. */
export type CompatFinding = CompatRelocation | CompatNeed;

/** CompatProgram says whether a program fits a kernel. */
export interface CompatProgram {
  readonly name: string;
  readonly section: string;
  readonly programType: string | null;
  readonly loaded: boolean;
  /** Null if it is not loaded. */
  readonly verdict: Verdict | null;
  readonly relocations: readonly CompatRelocation[];
  readonly needs: readonly CompatNeed[];
}

/** CompatReport says whether an object fits a kernel. */
export interface CompatReport {
  /** The kernel's release and architecture; empty for a kernel in a file. */
  readonly kernelRelease: string;
  readonly machine: string;
  readonly loader: ObjectReport['loader'];
  readonly loaderRelease: string;
  readonly byteOrder: ByteOrder;
  readonly verdict: Verdict;
  readonly counts: readonly VerdictCount[];
  readonly programs: readonly CompatProgram[];
  /** Those of the object itself. */
  readonly relocations: readonly CompatRelocation[];
  readonly needs: readonly CompatNeed[];
  readonly notJudged: readonly string[];
  /** The names of the modules that were read. */
  readonly modules: readonly string[];
  readonly dependsOnAllModules: boolean;
  readonly dependsOnKernelVersion: boolean;
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
