import { basename } from 'node:path';
import {
  RELOCATION_NAMES,
  type RelocationKind,
  type SourceLine,
  type Verdict,
  type VerdictCount,
} from '@btfd/btf';
import type { Colors } from '../output/colors.js';
import { counted, grouped } from '../output/numbers.js';
import type { RemoteNeed, RemoteRelocationFinding } from '@btfd/client';
import type { CompatFinding, CompatReport } from './report.js';

const NEED_WORDS: Readonly<Record<RemoteNeed['kind'], string>> = {
  ATTACH_TARGET: 'attach target',
  SYMBOL: 'symbol',
  KFUNC: 'kfunc',
  KSYM_VARIABLE: 'ksym',
  KSYM_ADDRESS: 'ksym',
  KCONFIG: 'kconfig',
  STRUCT_OPS: 'struct_ops',
  STRUCT_OPS_MEMBER: 'struct_ops member',
  HELPER: 'helper',
  MAP_TYPE: 'map type',
  PROGRAM_TYPE: 'program type',
  ATTACH_TYPE: 'attach type',
  BYTE_ORDER: 'byte order',
  UNKNOWN: 'need',
};

/** isRelocation distinguishes the two kinds of findings. */
export function isRelocation(finding: CompatFinding): finding is RemoteRelocationFinding {
  return 'relocation' in finding;
}

/** kindWord returns the word for a finding's kind. For relocations it is that of libbpf's log. */
export function kindWord(finding: CompatFinding): string {
  if (!isRelocation(finding)) return NEED_WORDS[finding.kind];
  const { kind, kindNumber } = finding.relocation;
  return kind === null ? `kind ${kindNumber}` : RELOCATION_NAMES[kind];
}

const VERDICT_WORDS: Readonly<Record<Verdict, string>> = {
  FITS: 'fits',
  CHANGED: 'changed',
  GUARDED: 'guarded',
  UNKNOWN: 'unknown',
  AT_RISK: 'at risk',
  FAILS: 'fails',
};

/** verdictWord returns the word for the verdict of a finding. */
export function verdictWord(verdict: Verdict): string {
  return VERDICT_WORDS[verdict];
}

/** overallWord returns the word for the verdict of an object. An object with changed or guarded findings fits. */
export function overallWord(verdict: Verdict): string {
  return verdict === 'CHANGED' || verdict === 'GUARDED' ? VERDICT_WORDS.FITS : VERDICT_WORDS[verdict];
}

/** paintVerdict colours the word for a verdict. */
export function paintVerdict(word: string, colors: Colors): string {
  switch (word.trim()) {
    case VERDICT_WORDS.FAILS:
    case 'error':
      return colors.bad(word);
    case VERDICT_WORDS.AT_RISK:
      return colors.changed(word);
    case VERDICT_WORDS.FITS:
      return colors.good(word);
    default:
      return word;
  }
}

/** countsText returns the number of programs and findings: `7 programs, 21 relocations: 4 fit, 17 changed`. */
export function countsText({ programs, counts }: CompatReport): string {
  const loaded = programs.filter((program) => program.loaded).length;
  const some = loaded === programs.length ? '' : ` (${grouped(loaded)} loaded)`;
  const parts = [
    `${counted(programs.length, 'program')}${some}`,
    findingsText(counts, 'relocation', ({ relocations }) => relocations),
    findingsText(counts, 'other need', ({ needs }) => needs),
  ];
  return parts.filter((part) => part !== '').join('; ');
}

function findingsText(
  counts: readonly VerdictCount[],
  noun: string,
  numberOf: (count: VerdictCount) => number,
): string {
  const all = counts.reduce((sum, count) => sum + numberOf(count), 0);
  if (all === 0) return '';
  const parts = counts.flatMap((count) => {
    const number = numberOf(count);
    if (number === 0) return [];
    return [numbered(number, verdictWord(count.verdict))];
  });
  return `${counted(all, noun)}: ${parts.join(', ')}`;
}

const PLURALS: Readonly<Record<string, string>> = { fits: 'fit', fails: 'fail', error: 'errors' };

/** numbered returns a number with a word of {@link verdictWord}: `1 fits`, `2 fit`. */
export function numbered(number: number, word: string): string {
  return `${grouped(number)} ${number === 1 ? word : (PLURALS[word] ?? word)}`;
}

/** The values that are sizes and offsets. The others are values of enums, ids of types, and numbers of bits and truth. */
const MEASURES: ReadonlySet<RelocationKind | null> = new Set([
  'FIELD_BYTE_OFFSET',
  'FIELD_BYTE_SIZE',
  'TYPE_SIZE',
]);

/** valueText returns what a loader writes for a relocation. */
export function valueText({ kind }: RemoteRelocationFinding['relocation'], value: bigint): string {
  const integer = BigInt.asIntN(64, value);
  return MEASURES.has(kind) ? grouped(integer) : String(integer);
}

const LOADERS: Readonly<Record<CompatReport['loader'], string>> = { libbpf: 'libbpf', cilium: 'cilium/ebpf' };

/** loaderText returns the loader whose rules were used, with its release. */
export function loaderText({ loader, loaderRelease }: CompatReport): string {
  return `${LOADERS[loader]} ${loaderRelease}`;
}

/** kernelText returns the release of a kernel, and its SPEC. */
export function kernelText(label: string, report: CompatReport | undefined): string {
  if (report === undefined || report.kernelRelease === '') return label;
  return `${label} (Linux ${report.kernelRelease} ${report.machine})`;
}

/** sourceText returns the place of a line: `core_fixes.bpf.h:21`. The folder is often one of the build only. */
export function sourceText({ file, line }: SourceLine, whole: boolean): string {
  return `${whole ? file : basename(file)}:${line}`;
}
