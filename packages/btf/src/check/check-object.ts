import type { CoreTarget } from '../core/candidates.js';
import { CoreWork } from '../core/refusal.js';
import type { ResolvedRelocation } from '../core/resolution.js';
import { isPart, resolveRelocations, RULES } from '../core/resolve.js';
import type { Loader, LoaderRules } from '../core/rules/loader-rules.js';
import { BtfFormatError } from '../format-error.js';
import { type BpfObject, readBtfExt } from '../object/bpf-object.js';
import { readExterns } from '../object/extern-symbols.js';
import { type BpfProgram, readPrograms } from '../object/programs.js';
import { sectionNameOf } from '../object/section-names.js';
import { REACH_STEPS } from '../reach/reach.js';
import { isGlobalFunction } from './global-functions.js';
import { type JudgeContext, judgeProgram } from './judge-program.js';
import { KernelObjects } from './kernel-objects.js';
import { Linker } from './link.js';
import { BpfEnums } from './needs/bpf-enums.js';
import { type ResolvedExtern, resolveExterns } from './needs/externs.js';
import { kconfigValues, readsKernelVersion } from './needs/kconfig.js';
import { mapNeeds } from './needs/map-types.js';
import { FITS, need } from './needs/need.js';
import { staticProgramNeeds } from './needs/program-types.js';
import { structOpsNeeds } from './needs/struct-ops.js';
import { notJudged } from './not-judged.js';
import { readOnlyVariables } from './read-only.js';
import type {
  Need,
  ObjectReport,
  ObjectSummary,
  ProgramResult,
  RelocationFinding,
  VerdictCount,
} from './report.js';
import { Sources } from './sources.js';
import { type StructOpsMap, structOpsMaps } from './struct-ops-maps.js';
import { argumentWords, kernelTraits } from './traits.js';
import { VERDICTS, verdictOfRelocation, worstOf } from './verdict.js';

/** CheckObjectOptions are the options of {@link checkObject}. */
export interface CheckObjectOptions {
  /** Whose rules hold. Default: `libbpf`. */
  readonly loader?: Loader;
  /** The names of the programs to load. Default: those that the loader loads by default. */
  readonly programs?: readonly string[];
  /** Values that user space gives read-only variables before the load, by name, in the byte order of the object. */
  readonly variables?: Readonly<Record<string, Uint8Array>>;
  /** The kernel's version as in `LINUX_KERNEL_VERSION`: `(6 << 16) | (1 << 8)` for Linux 6.1. Default: unknown. */
  readonly kernelVersion?: number | null;
}

/**
 * checkObject reports whether a loader could load a BPF object into a kernel, as far as its BTF shows: the CO-RE relocations
 * of each program, whether the verifier gets to those that fail, and the other needs of the programs. Nothing is loaded.
 *
 * It does not judge whether the verifier accepts the logic of the programs. `notJudged` lists needs that BTF does not decide.
 *
 * ```ts
 * const { verdict, programs } = checkObject(parseBpfObject(bytes), { kernel: vmlinux });
 * ```
 *
 * @throws BtfFormatError as `resolveRelocations`, `readCalls` and `readMaps` do.
 * @throws BtfFormatError `INVALID_ARGUMENT` if the object has no read-only variable with a name in `variables`, or its size
 * is another one.
 * @throws BtfFormatError `MALFORMED` if a struct_ops map has no place in the file.
 * @throws BtfFormatError `LIMIT_EXCEEDED` if so many programs use the same subprograms that they have more than 4,194,304
 * instructions or 262,144 findings in all, or if a program calls more than 4,096 helpers.
 */
export function checkObject(
  object: BpfObject,
  target: CoreTarget,
  options: CheckObjectOptions = {},
): ObjectReport {
  const programs: ProgramResult[] = [];
  const steps = checkObjectSteps(object, target, options);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return { programs, ...value };
    if (value !== null) programs.push(value);
  }
}

/**
 * checkObjectSteps is {@link checkObject} in steps: it yields each program when it is judged, and null after a few
 * milliseconds of other work. It resolves all relocations in its first step.
 *
 * @returns the rest of the report.
 */
export function* checkObjectSteps(
  object: BpfObject,
  target: CoreTarget,
  options: CheckObjectOptions = {},
): Generator<ProgramResult | null, ObjectSummary, void> {
  const { loader = 'libbpf', variables = {}, kernelVersion = null } = options;
  const kernel = new KernelObjects(target);
  const all = readPrograms(object);
  const structOps = structOpsMaps(object, all);
  const names = options.programs ?? namesWithStructOps(all, structOps, loader);
  const resolution = resolveRelocations(object, kernel.target, {
    loader,
    ...(names === null ? {} : { programs: names }),
  });
  yield null;
  const rules = RULES[loader];
  const externs = readExterns(object);
  const kconfig = kconfigValues(object, externs, loader, kernelVersion);
  const context = { object, kernel, rules, work: new CoreWork(), kconfig };
  const resolvedExterns = resolveExterns(externs, context);
  const readOnly = readOnlyVariables(object, new Map(Object.entries(variables)));
  const ext = readBtfExt(object);
  const sources = new Sources(ext?.lines ?? null);
  const enums = new BpfEnums(kernel, object.spec);
  const judging: JudgeContext = {
    object,
    kernel,
    loader,
    argumentWords: argumentWords(kernel.vmlinux, kernelVersion),
    enums,
    externs: resolvedExterns,
    sources,
    variables: [...readOnly, ...kconfig.variables],
    traits: kernelTraits(kernel.vmlinux, kernelVersion),
    isGlobal: isGlobalFunction(object, ext),
    budget: { left: REACH_STEPS },
  };
  const linker = new Linker(object, all, resolution.relocations, {
    isPerProgram: rules.choice === 'TYPE_IN_PROGRAM',
    isExtern: (name) => resolvedExterns.has(name),
    readOnlySections: new Set(readOnly.map(({ section }) => section)),
  });
  const tally = new Tally();
  for (const program of all) {
    if (isPart(program, rules)) continue;
    const isLoaded =
      names === null ? rules.marked === 'LOADED' || program.autoload : names.includes(program.name);
    if (!isLoaded) {
      yield notLoaded(program);
      continue;
    }
    const linked = linker.link(program);
    for (const { name } of linked.externs) tally.usedExterns.add(name);
    const result = yield* judgeProgram(linked, judging);
    tally.add(result);
    yield result;
  }
  const relocations = leftRelocations(resolution.relocations, tally, sources, rules);
  const needs = [
    byteOrderNeed(object, kernel),
    ...staticProgramNeeds(all, loader),
    ...mapNeeds(object, enums, loader),
    ...structOpsNeeds(object, structOps, kernel),
    ...leftExterns(resolvedExterns, tally, rules),
  ];
  return {
    loader,
    loaderRelease: resolution.loaderRelease,
    byteOrder: object.elf.byteOrder,
    ...tally.with(needs, relocations),
    needs,
    relocations,
    modules: kernel.read,
    dependsOnAllModules: kernel.isAllRead,
    dependsOnKernelVersion: readsKernelVersion(externs),
  };
}

/** Programs of struct_ops maps are loaded if one of their maps is made. Null if nothing differs from the default. */
function namesWithStructOps(
  programs: readonly BpfProgram[],
  maps: readonly StructOpsMap[],
  loader: Loader,
): readonly string[] | null {
  if (loader !== 'libbpf' || maps.length === 0) return null;
  const isUsed = new Map<BpfProgram, boolean>();
  for (const { autocreate, members } of maps) {
    for (const { program } of members) {
      if (program !== null) isUsed.set(program, autocreate || isUsed.get(program) === true);
    }
  }
  const isLoaded = (program: BpfProgram): boolean => isUsed.get(program) ?? program.autoload;
  return programs
    .filter((program) => !isPart(program, RULES[loader]) && isLoaded(program))
    .map(({ name }) => name);
}

function notLoaded({ name, section }: BpfProgram): ProgramResult {
  const programType = sectionNameOf(section)?.programType ?? null;
  return { name, section, programType, loaded: false, verdict: null, relocations: [], needs: [] };
}

function byteOrderNeed({ elf }: BpfObject, { vmlinux }: KernelObjects): Need {
  const name = `${elf.byteOrder}-endian`;
  const reason = `the kernel is ${vmlinux.spec.byteOrder}-endian`;
  return need('BYTE_ORDER', name, elf.byteOrder === vmlinux.spec.byteOrder ? FITS : ['FAILS', reason]);
}

/** libbpf also resolves relocations in functions that no program uses, and refuses the object for those that fail. */
function leftRelocations(
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
    return [{ relocation, reach: null, verdict, source, reason }];
  });
}

/**
 * libbpf looks for all externs of an object, also for those that no loaded program uses. Weak ones do not matter then, unless
 * they have another type.
 */
function leftExterns(
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
class Tally {
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

  /** The parts of the summary that are about all programs and the object. */
  with(
    needs: readonly Need[],
    relocations: readonly RelocationFinding[],
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
    return { verdict: worstOf(found.map(({ verdict }) => verdict)), counts, notJudged: notJudged(allNeeds) };
  }
}
