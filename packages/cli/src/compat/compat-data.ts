import type { CoreCandidate, SourceLine } from '@btfd/btf';
import type { RemoteNeed, RemoteProgramResult, RemoteRelocationFinding } from '@btfd/client';
import { explainError } from '../error/explain-error.js';
import type { FileFailure } from './bpf-files.js';
import type { Cell } from './judge-all.js';
import type { MinBtfFile } from './min-btf.js';
import { type CompatFinding, type CompatReport, isNotable } from './report.js';

/** CompatDataOptions are the options of {@link compatData}. */
export interface CompatDataOptions {
  /** Whether no object has a verdict that the options do not accept, and there was no error. */
  readonly fits: boolean;
  /** Whether to include findings that fit. */
  readonly all: boolean;
  /** The files of `--min-btf`; null without it. */
  readonly minBtf: readonly MinBtfFile[] | null;
}

/** compatData returns the results for programs. */
export function compatData(
  cells: readonly Cell[],
  failures: readonly FileFailure[],
  { fits, all, minBtf }: CompatDataOptions,
): object {
  return {
    fits,
    results: cells.flatMap(({ file, kernel, report }) =>
      report === null
        ? []
        : [
            {
              object: file.name,
              file: file.path,
              offset: file.offset,
              kernel: kernel.label,
              ...reportData(report, all),
            },
          ],
    ),
    ...(minBtf === null
      ? {}
      : { min_btf: minBtf.map(({ kernel, path, bytes }) => ({ kernel, file: path, size: bytes })) }),
    errors: [
      ...failures.map(({ path, error }) => ({ file: path, ...errorData(error) })),
      ...cells.flatMap(({ file, kernel, error }) =>
        error === null
          ? []
          : [{ object: file.name, file: file.path, kernel: kernel.label, ...errorData(error) }],
      ),
    ],
  };
}

/** errorData returns an error for programs. */
export function errorData(error: unknown): object {
  const { message, exitCode } = explainError(error);
  return { message, exit_code: exitCode };
}

/** reportData returns a report for programs. @param all whether to include findings that fit. */
export function reportData(report: CompatReport, all: boolean): object {
  const wanted = <T extends CompatFinding>(findings: readonly T[]): readonly T[] =>
    all ? findings : findings.filter(isNotable);
  const findings = (of: RemoteProgramResult | CompatReport): object => ({
    relocations: wanted(of.relocations).map(relocationData),
    needs: wanted(of.needs).map(needData),
  });
  return {
    ...(report.kernelRelease === '' ? {} : { kernel_release: report.kernelRelease, machine: report.machine }),
    loader: report.loader,
    loader_release: report.loaderRelease,
    byte_order: report.byteOrder,
    verdict: report.verdict,
    counts: report.counts,
    programs: report.programs.map((program) => ({
      name: program.name,
      section: program.section,
      program_type: program.programType,
      loaded: program.loaded,
      verdict: program.verdict,
      ...findings(program),
    })),
    ...findings(report),
    not_judged: report.notJudged,
    modules: report.modules,
    depends_on_all_modules: report.dependsOnAllModules,
    depends_on_kernel_version: report.dependsOnKernelVersion,
  };
}

function relocationData(finding: RemoteRelocationFinding): object {
  const { relocation, verdict, reach } = finding;
  const { local, match } = relocation;
  return {
    verdict,
    kind: relocation.kind,
    kind_number: relocation.kindNumber,
    function: relocation.program?.name ?? null,
    instruction: relocation.instruction,
    index: relocation.index,
    local: local === null ? null : { type_id: local.typeId, text: local.text, access: local.access },
    outcome: relocation.outcome,
    reach,
    // They may have more digits than a number of JSON keeps.
    local_value: String(relocation.localValue),
    target_value: String(relocation.targetValue),
    local_size: relocation.localSize,
    target_size: relocation.targetSize,
    match: match === null ? null : candidateData(match),
    candidates: relocation.candidates.map(candidateData),
    candidate_count: relocation.candidateCount,
    ...explanation(finding),
  };
}

function candidateData({ object, typeId, typeName, place, reason }: CoreCandidate): object {
  return { object, type_id: typeId, type_name: typeName, place: place?.text ?? null, reason };
}

function needData(need: RemoteNeed): object {
  return {
    verdict: need.verdict,
    kind: need.kind,
    name: need.name,
    optional: need.optional,
    object: need.object,
    type_id: need.typeId,
    local: need.local,
    target: need.target,
    ...explanation(need),
  };
}

function explanation({ reason, near, source }: CompatFinding): object {
  return { reason, near, source: source === null ? null : sourceData(source) };
}

function sourceData({ file, line, column, text }: SourceLine): object {
  return { file, line, column, text };
}
