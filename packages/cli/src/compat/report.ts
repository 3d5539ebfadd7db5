import type {
  BpfLoader,
  ByteOrder,
  CoreCandidate,
  CoreOutcome,
  CorePlace,
  Need,
  ObjectReport,
  Reach,
  RelocationFinding,
  RelocationKind,
  SourceLine,
  Verdict,
  VerdictCount,
} from '@btfd/btf';

/** CompatRelocation is a CO-RE relocation as the loader resolves it, and what it means for the load. */
export interface CompatRelocation {
  readonly index: number;
  /** The program or subprogram that has the instruction; null if none does. */
  readonly function: string | null;
  readonly instruction: number;
  /** Null for a kind that is not known. */
  readonly kind: RelocationKind | null;
  readonly kindNumber: number;
  readonly local: CorePlace | null;
  readonly source: SourceLine | null;
  readonly outcome: CoreOutcome;
  readonly reach: Reach | null;
  readonly verdict: Verdict;
  readonly localValue: bigint;
  readonly targetValue: bigint;
  readonly localSize: number;
  readonly targetSize: number;
  readonly match: CoreCandidate | null;
  readonly candidates: readonly CoreCandidate[];
  readonly candidateCount: number;
  readonly reason: string;
  readonly near: readonly string[];
}

/** CompatNeed is something that an object needs of the kernel and that is not a relocation. */
export interface CompatNeed extends Need {
  readonly near: readonly string[];
}

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
  readonly loader: BpfLoader;
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
  return {
    ...report,
    kernelRelease: '',
    machine: '',
    programs: report.programs.map((program) => ({
      ...program,
      relocations: program.relocations.map(relocationOf),
      needs: program.needs.map(needOf),
    })),
    relocations: report.relocations.map(relocationOf),
    needs: report.needs.map(needOf),
  };
}

function relocationOf({ relocation, ...finding }: RelocationFinding): CompatRelocation {
  return { ...relocation, ...finding, function: relocation.program?.name ?? null, near: [] };
}

function needOf(need: Need): CompatNeed {
  return { ...need, near: [] };
}

/** isNotable reports whether a finding is part of a report without `--all`. */
export function isNotable({ verdict }: { readonly verdict: Verdict }): boolean {
  return verdict !== 'FITS' && verdict !== 'CHANGED';
}

/** isUnfit reports whether a verdict is that of an object that does not fit. */
export function isUnfit(verdict: Verdict): boolean {
  return verdict === 'AT_RISK' || verdict === 'FAILS';
}
