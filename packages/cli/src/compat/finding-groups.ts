import type { SourceLine, Verdict } from '@btfd/btf';
import { counted } from '../output/numbers.js';
import type { CompatFinding, CompatReport } from './report.js';
import { isRelocation, kindWord, valueText } from './words.js';

/** GroupedFinding is a finding that several instructions, programs or kernels may have. */
export interface GroupedFinding {
  readonly verdict: Verdict;
  /** The word for its kind. */
  readonly kind: string;
  /** The types, members or names: `struct inode.i_ctime`, and the names of functions. */
  readonly subjects: readonly string[];
  /** The old and the new value: `16 → 24`; empty if it stays. */
  readonly change: string;
  readonly reason: string;
  /** Declarations of the object and of the kernel where they differ. */
  readonly local: string;
  readonly target: string;
  readonly near: readonly string[];
  /** Null if there is none, or if they differ. */
  readonly source: SourceLine | null;
  /** The functions and instructions that have it: `handle_switch insn 23`. */
  readonly places: readonly string[];
  /** The labels of the kernels. */
  readonly kernels: readonly string[];
  /** The first of the findings. */
  readonly first: CompatFinding;
}

/** OnKernel is a report about one kernel. */
export interface OnKernel {
  readonly label: string;
  readonly report: CompatReport;
}

const ORDER: readonly Verdict[] = ['FAILS', 'AT_RISK', 'GUARDED', 'UNKNOWN', 'CHANGED', 'FITS'];

/** Group collects the places of equal findings. */
interface Group {
  readonly first: CompatFinding;
  /** By file and number. */
  readonly sources: Map<string, SourceLine | null>;
  readonly subjects: Set<string>;
  /** The instructions, by their programs and subprograms. */
  readonly instructions: Map<string, Set<number>>;
  /** The programs that use a subprogram, by its name. */
  readonly users: Map<string, Set<string>>;
  readonly kernels: Set<string>;
}

/**
 * groupFindings groups the equal findings of reports about one object: the worst first, otherwise in their order.
 *
 * @param isWanted chooses the findings.
 */
export function groupFindings(
  reports: readonly OnKernel[],
  isWanted: (finding: CompatFinding) => boolean,
): GroupedFinding[] {
  const groups = new Map<string, Group>();
  for (const { label, report } of reports) {
    for (const { program, finding } of findingsOf(report)) {
      if (isWanted(finding)) addTo(groups, finding, program, label);
    }
  }
  return [...groups.values()]
    .map(grouped)
    .toSorted((a, b) => ORDER.indexOf(a.verdict) - ORDER.indexOf(b.verdict));
}

function* findingsOf(
  report: CompatReport,
): Generator<{ readonly program: string | null; readonly finding: CompatFinding }, void, undefined> {
  for (const { name, relocations, needs } of report.programs) {
    for (const finding of [...relocations, ...needs]) yield { program: name, finding };
  }
  for (const finding of [...report.relocations, ...report.needs]) yield { program: null, finding };
}

function addTo(
  groups: Map<string, Group>,
  finding: CompatFinding,
  program: string | null,
  kernel: string,
): void {
  const key = keyOf(finding);
  const group: Group = groups.get(key) ?? {
    first: finding,
    sources: new Map(),
    subjects: new Set(),
    instructions: new Map(),
    users: new Map(),
    kernels: new Set(),
  };
  groups.set(key, group);
  group.sources.set(placeOf(finding), finding.source);
  group.subjects.add(subjectOf(finding));
  group.kernels.add(kernel);
  const place = (isRelocation(finding) ? finding.relocation.program?.name : null) ?? program;
  if (place === null) return;
  const instructions = group.instructions.get(place) ?? new Set();
  group.instructions.set(place, instructions);
  if (isRelocation(finding)) instructions.add(finding.relocation.instruction);
  const users = group.users.get(place) ?? new Set();
  group.users.set(place, users);
  if (program !== null && program !== place) users.add(program);
}

/** Findings with one key differ only in their places. Those that fit, and those that BTF cannot judge, also differ in their names. */
function keyOf(finding: CompatFinding): string {
  const { verdict, reason, near } = finding;
  const isMany = verdict === 'UNKNOWN' || verdict === 'FITS';
  return JSON.stringify([
    verdict,
    kindWord(finding),
    reason,
    near,
    isMany ? null : subjectOf(finding),
    isRelocation(finding) ? [changeOf(finding), isMany || placeOf(finding)] : [finding.local, finding.target],
  ]);
}

function placeOf({ source }: CompatFinding): string {
  return source === null ? '' : `${source.file}:${source.line}`;
}

function subjectOf(finding: CompatFinding): string {
  if (isRelocation(finding)) return finding.relocation.local?.text ?? 'an invalid record';
  // An attach target that user space sets.
  return finding.name === '' ? '(not set)' : finding.name;
}

function changeOf(finding: CompatFinding): string {
  if (!isRelocation(finding) || finding.verdict !== 'CHANGED') return '';
  const { relocation } = finding;
  const { localSize, targetSize, localValue, targetValue } = relocation;
  const [from, to] = [localValue, targetValue].map((value) => valueText(relocation, value));
  if (localSize === targetSize) return `${from} → ${to}`;
  return `${counted(localSize, 'byte')} at ${from} → ${counted(targetSize, 'byte')} at ${to}`;
}

function grouped({ first, sources, subjects, instructions, users, kernels }: Group): GroupedFinding {
  const need = isRelocation(first) ? null : first;
  return {
    verdict: first.verdict,
    kind: kindWord(first),
    subjects: [...subjects],
    change: changeOf(first),
    reason: first.reason,
    local: need?.local ?? '',
    target: need?.target ?? '',
    near: first.near,
    source: sources.size > 1 ? null : first.source,
    places: [...instructions].map(([name, numbers]) => placeText(name, numbers, users.get(name))),
    kernels: [...kernels],
    first,
  };
}

function placeText(
  name: string,
  numbers: ReadonlySet<number>,
  users: ReadonlySet<string> | undefined,
): string {
  const where =
    numbers.size === 0 ? name : `${name} insn ${[...numbers].toSorted((a, b) => a - b).join(', ')}`;
  return users === undefined || users.size === 0 ? where : `${where}, used by ${[...users].join(' and ')}`;
}
