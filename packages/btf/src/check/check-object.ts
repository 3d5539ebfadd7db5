import type { CoreTarget } from '../core/candidates.js';
import { CoreWork } from '../core/refusal.js';
import { isPart, resolveSteps, RULES } from '../core/resolve.js';
import type { BpfLoader, LoaderRules } from '../core/rules/loader-rules.js';
import type { BpfObject } from '../object/bpf-object.js';
import { readExterns } from '../object/extern-symbols.js';
import { type BpfProgram, readPrograms } from '../object/programs.js';
import { sectionNameOf } from '../object/section-names.js';
import { REACH_STEPS } from '../reach/reach.js';
import { extOf } from './ext-of.js';
import { exceptionCallbacks } from './exception-callbacks.js';
import { isGlobalFunction } from './global-functions.js';
import { type JudgeContext, judgeProgram } from './judge-program.js';
import { BtfFormatError } from '../format-error.js';
import { KernelObjects } from './kernel-objects.js';
import { Linker } from './link.js';
import { BpfEnums } from './needs/bpf-enums.js';
import { resolveExterns } from './needs/externs.js';
import { kconfigValues, readsKernelVersion } from './needs/kconfig.js';
import { NearNames } from './near-names.js';
import { mapNeeds } from './needs/map-types.js';
import { Patterns } from './needs/patterns.js';
import { structureNeeds } from './needs/structure.js';
import { structOpsNeeds } from './needs/struct-ops.js';
import { readOnlyVariables } from './read-only.js';
import type { ObjectReport, ObjectSummary, ProgramResult } from './report.js';
import { Sources } from './sources.js';
import { type StructOpsMap, structOpsMaps } from './struct-ops-maps.js';
import { byteOrderNeed, leftExterns, leftRelocations, Tally } from './summary.js';
import { argumentWords, kernelTraits, loadsFunctions, passesStructs } from './traits.js';

/** CheckObjectOptions are the options of {@link checkObject}. */
export interface CheckObjectOptions {
  /** Whose rules hold. Default: `libbpf`. */
  readonly loader?: BpfLoader;
  /** The names of the programs to load. Default: those that the loader loads by default. */
  readonly programs?: readonly string[];
  /** Values that user space gives read-only variables before the load, by name, in the byte order of the object. */
  readonly variables?: Readonly<Record<string, Uint8Array>>;
  /**
   * The targets that user space gives programs before the load (`bpf_program__set_attach_target`), by the names of programs:
   * `tcp_v4_connect`, or `nf_nat:nf_nat_init` in a module. They count instead of those in the names of sections.
   */
  readonly attachTargets?: Readonly<Record<string, string>>;
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
 * @throws BtfReadError as `resolveRelocations`, `readCalls` and `readMaps` do.
 * @throws BtfFormatError `INVALID_ARGUMENT` if the object has no read-only variable with a name in `variables`, or its size
 * is another one.
 * @throws BtfFormatError `INVALID_ARGUMENT` if the object has no program with a name in `attachTargets`, or a target is empty.
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
 * milliseconds of other work.
 *
 * @returns the rest of the report.
 * @throws BtfReadError as {@link checkObject} does.
 */
export function* checkObjectSteps(
  object: BpfObject,
  target: CoreTarget,
  options: CheckObjectOptions = {},
): Generator<ProgramResult | null, ObjectSummary, void> {
  const { loader = 'libbpf', variables = {}, attachTargets = {}, kernelVersion = null } = options;
  const kernel = new KernelObjects(target);
  const all = readPrograms(object);
  const targets = new Map(Object.entries(attachTargets));
  checkTargets(targets, all);
  const structOps = structOpsMaps(object, all);
  const names = options.programs ?? namesWithStructOps(all, structOps, loader);
  yield null;
  const { ext, ignored } = extOf(object, loader);
  yield null;
  const parts = { programs: all, ext };
  const resolution = yield* resolveSteps(object, kernel.target, parts, {
    loader,
    ...(names === null ? {} : { programs: names }),
  });
  const rules = RULES[loader];
  const externs = readExterns(object);
  const kconfig = kconfigValues(object, externs, loader, kernelVersion);
  const work = new CoreWork();
  const near = new NearNames(kernel, object.spec);
  const resolvedExterns = yield* resolveExterns(externs, { object, kernel, rules, work, kconfig, near });
  yield null;
  const readOnly = readOnlyVariables(object, new Map(Object.entries(variables)));
  const sources = new Sources(ext?.lines ?? null);
  const enums = new BpfEnums(kernel, object.spec);
  const traits = kernelTraits(kernel.vmlinux, kernelVersion);
  const judging: JudgeContext = {
    object,
    kernel,
    near,
    attachTargets: targets,
    loader,
    argumentWords: argumentWords(kernel.vmlinux, kernelVersion),
    passesStructs: passesStructs(kernel.vmlinux, kernelVersion),
    patterns: new Patterns(kernel),
    loadsFunctions: loadsFunctions(kernel.vmlinux, kernelVersion),
    enums,
    externs: resolvedExterns,
    sources,
    variables: [...readOnly, ...kconfig.variables],
    traits,
    mayCheckGlobals: kernelVersion === null && traits.checksAllGlobals,
    isGlobal: isGlobalFunction(object, ext),
    budget: { left: REACH_STEPS },
    afterSectionName: rules.afterSectionName,
    implementing: new Set(
      structOps.flatMap(({ members }) => members.flatMap(({ program }) => program ?? [])),
    ),
  };
  const linker = new Linker(object, all, resolution.relocations, {
    isPerProgram: rules.choice === 'TYPE_IN_PROGRAM',
    work,
    isExtern: (name) => resolvedExterns.has(name),
    readOnlySections: new Set(readOnly.map(({ section }) => section)),
    callbacks: loader === 'libbpf' ? exceptionCallbacks(object, all) : new Map(),
  });
  const isLoaded = ({ name, autoload }: BpfProgram): boolean =>
    names === null ? rules.marked === 'LOADED' || autoload : names.includes(name);
  yield null;
  const tally = new Tally();
  for (const program of all) {
    if (isPart(program, rules)) continue;
    if (!isLoaded(program)) {
      yield notLoaded(program, rules);
      continue;
    }
    const linked = yield* linker.link(program);
    for (const { name } of linked.externs) tally.usedExterns.add(name);
    const result = yield* judgeProgram(linked, judging);
    tally.add(result);
    yield result;
  }
  yield null;
  const relocations = leftRelocations(resolution.relocations, tally, sources, rules);
  const needs = [
    byteOrderNeed(object, kernel),
    ...structureNeeds({
      object,
      programs: all,
      calls: linker.calls,
      isExtern: (name) => resolvedExterns.has(name),
      loader,
    }),
    ...mapNeeds(object, enums, loader),
    ...structOpsNeeds(object, structOps, kernel, near),
    ...leftExterns(resolvedExterns, tally, rules),
  ];
  return {
    loader,
    loaderRelease: resolution.loaderRelease,
    byteOrder: object.elf.byteOrder,
    ...tally.with(needs, relocations, ignored),
    needs,
    relocations,
    modules: kernel.read,
    dependsOnAllModules: kernel.isAllRead,
    dependsOnKernelVersion: readsKernelVersion(externs),
  };
}

function checkTargets(targets: ReadonlyMap<string, string>, programs: readonly BpfProgram[]): void {
  const names = new Set(programs.map(({ name }) => name));
  for (const [name, target] of targets) {
    if (!names.has(name)) throw invalid(`the object has no program "${name}" to attach to ${target}`);
    if (target === '') throw invalid(`the attach target of program ${name} is empty`);
  }
}

function invalid(message: string): BtfFormatError {
  return new BtfFormatError('INVALID_ARGUMENT', message);
}

/** Programs of struct_ops maps are loaded if one of their maps is made. Null if nothing differs from the default. */
function namesWithStructOps(
  programs: readonly BpfProgram[],
  maps: readonly StructOpsMap[],
  loader: BpfLoader,
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

function notLoaded({ name, section }: BpfProgram, { afterSectionName }: LoaderRules): ProgramResult {
  const programType = sectionNameOf(section, afterSectionName)?.programType ?? null;
  return { name, section, programType, loaded: false, verdict: null, relocations: [], needs: [] };
}
