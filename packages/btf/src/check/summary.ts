import type { ResolvedRelocation } from '../core/resolution.js';
import type { LoaderRules } from '../core/rules/loader-rules.js';
import { BtfFormatError } from '../format-error.js';
import type { BpfObject } from '../object/bpf-object.js';
import type { KernelObjects } from './kernel-objects.js';
import type { ResolvedExtern } from './needs/externs.js';
import { FITS, need } from './needs/need.js';
import { notJudged } from './not-judged.js';
import type { Need, ObjectSummary, ProgramResult, RelocationFinding, VerdictCount } from './report.js';
import type { Sources } from './sources.js';
import { VERDICTS, verdictOfRelocation, worstOf } from './verdict.js';

/** byteOrderNeed returns the need for a kernel of the object's byte order. */
export function byteOrderNeed({ elf }: BpfObject, { vmlinux }: KernelObjects): Need {
  const name = `${elf.byteOrder}-endian`;
  const reason = `the kernel is ${vmlinux.spec.byteOrder}-endian`;
  return need('BYTE_ORDER', name, elf.byteOrder === vmlinux.spec.byteOrder ? FITS : ['FAILS', reason]);
}

/**
 * leftRelocations returns the relocations for which libbpf refuses the object, although they are in functions that no loaded
 * program uses.
 */
export function leftRelocations(
  relocations: readonly ResolvedRelocation[],
  { judged }: Tally,
  sources: Sources,
  { choice }: LoaderRules,
): RelocationFinding[] {
  if (choice === 'TYPE_IN_PROGRAM') return [];
  return relocations.flatMap((relocation) => {
    const { program, section, instruction, reason } = relocation;
    const verdict = verdictOfRelocation(relocation, null);
    if (verdict !== 'FAILS' || judged.has(relocation)) return [];
    const source = sources.at(section, (program?.start ?? 0) + instruction);
    return [{ relocation, reach: null, verdict, source, reason, near: [] }];
  });
}

/**
 * leftExterns returns the needs for externs that no loaded program uses. libbpf looks for all externs of an object. Weak ones
 * do not matter then, unless they have another type.
 */
export function leftExterns(
  externs: ReadonlyMap<string, ResolvedExtern>,
  { usedExterns }: Tally,
  { loader }: LoaderRules,
): Need[] {
  if (loader !== 'libbpf') return [];
  return [...externs].flatMap(([name, { extern, need: own }]) => {
    const matters = !usedExterns.has(name) && (!extern.weak || own.verdict === 'FAILS');
    return matters ? [own] : [];
  });
}

/** Findings of subprograms are part of the report of each program that uses them. */
const MAX_FINDINGS = 262_144;

/** Tally collects what the summary needs of the programs. */
export class Tally {
  readonly usedExterns = new Set<string>();
  readonly judged = new Set<ResolvedRelocation>();
  readonly #results: ProgramResult[] = [];
  #findings = 0;

  /** @throws BtfFormatError `LIMIT_EXCEEDED` for too many findings. */
  add(result: ProgramResult): void {
    this.#results.push(result);
    this.#findings += result.relocations.length + result.needs.length;
    if (this.#findings > MAX_FINDINGS) {
      throw new BtfFormatError('LIMIT_EXCEEDED', `the report has more than ${MAX_FINDINGS} findings`);
    }
    for (const { relocation } of result.relocations) this.judged.add(relocation);
  }

  /** The parts of the summary that are about all programs and the object. @param ignored what the loader ignores, in words. */
  with(
    needs: readonly Need[],
    relocations: readonly RelocationFinding[],
    ignored: string | null,
  ): Pick<ObjectSummary, 'verdict' | 'counts' | 'notJudged'> {
    const allNeeds = [...this.#results.flatMap((result) => result.needs), ...needs];
    const allRelocations = [...this.#results.flatMap((result) => result.relocations), ...relocations];
    const counts = VERDICTS.map((verdict): VerdictCount => {
      const count = (findings: readonly { readonly verdict: unknown }[]): number =>
        findings.filter((finding) => finding.verdict === verdict).length;
      return {
        verdict,
        relocations: count(allRelocations),
        needs: count(allNeeds),
        programs: count(this.#results),
      };
    });
    const found = counts.filter((count) => count.relocations + count.needs > 0);
    return {
      verdict: worstOf(found.map(({ verdict }) => verdict)),
      counts,
      notJudged: [...(ignored === null ? [] : [ignored]), ...notJudged(allNeeds)],
    };
  }
}
