import type { BtfExt } from '../ext/btf-ext.js';
import { BtfFormatError } from '../format-error.js';
import { type BpfObject, LONGEST_NAME, readBtfExt } from '../object/bpf-object.js';
import { type BpfProgram, programAt, readPrograms } from '../object/programs.js';
import { CoreTypes } from './core-types.js';
import { Candidates, type CoreTarget } from './candidates.js';
import { Comparisons } from './comparisons.js';
import { resolveEach } from './resolve-each.js';
import { resolveTypes } from './resolve-types.js';
import { CoreWork, run } from './refusal.js';
import type { CoreResolution } from './resolution.js';
import { CILIUM_RULES } from './rules/cilium.js';
import { LIBBPF_RULES } from './rules/libbpf.js';
import type { BpfLoader, LoaderRules } from './rules/loader-rules.js';
import type { Located } from './trial.js';

/** ResolveRelocationsOptions are the options of {@link resolveRelocations}. */
export interface ResolveRelocationsOptions {
  /** Whose rules hold. Default: `libbpf`. */
  readonly loader?: BpfLoader;
  /**
   * The names of the programs to load. Default: all, but by libbpf not those in sections that begin with `?`.
   */
  readonly programs?: readonly string[];
}

/** RULES are the rules of each loader. */
export const RULES: Readonly<Record<BpfLoader, LoaderRules>> = { libbpf: LIBBPF_RULES, cilium: CILIUM_RULES };

/**
 * resolveRelocations resolves the CO-RE relocations of a BPF object against the types of a kernel, as a loader would when it
 * loads the object there. Nothing is loaded, and the object does not change. The byte orders of object and kernel are not
 * compared: loaders refuse an object of another one.
 *
 * Loaders stop at the first relocation that is ambiguous or refused. This function resolves the rest all the same, as if
 * that relocation did not exist.
 *
 * ```ts
 * const { relocations } = resolveRelocations(parseBpfObject(bytes), { kernel: vmlinux });
 * for (const { local, outcome, reason } of relocations) console.log(local?.text, outcome, reason);
 * ```
 *
 * Modelled on `bpf_object__relocate_core` of libbpf 1.8 and `btf.CORERelocate` of cilium/ebpf 0.22.
 *
 * @returns no relocations for an object without `.BTF.ext`.
 * @throws BtfFormatError `MALFORMED`, `UNSUPPORTED` and `LIMIT_EXCEEDED` as {@link readBtfExt} and {@link readPrograms} do.
 * @throws BtfFormatError `LIMIT_EXCEEDED` if resolving takes more than 16 million steps, because of nested types, many
 * candidates, or subprograms of many programs; and by cilium/ebpf's rules for more than 65,536 relocations of all programs
 * with their subprograms.
 * @throws BtfFormatError `LIMIT_EXCEEDED` if the accesses of all relocations have more than 262,144 members.
 * @throws BtfFormatError `INVALID_ARGUMENT` if the loader is unknown, or the object has no program with a name in
 * `programs`.
 * @throws BtfFormatError for types with invalid names, and whatever the modules throw.
 */
export function resolveRelocations(
  object: BpfObject,
  target: CoreTarget,
  options: ResolveRelocationsOptions = {},
): CoreResolution {
  const parts = { programs: readPrograms(object), ext: readBtfExt(object) };
  return run(resolveSteps(object, target, parts, options));
}

/** ObjectParts are parts of an object that were read. */
export interface ObjectParts {
  readonly programs: readonly BpfProgram[];
  /** Null if the object has no `.BTF.ext`, or loaders ignore it. */
  readonly ext: BtfExt | null;
}

/** resolveSteps is {@link resolveRelocations} in steps. It yields after a few milliseconds of work each. */
export function* resolveSteps(
  object: BpfObject,
  target: CoreTarget,
  { programs, ext }: ObjectParts,
  { loader = 'libbpf', programs: names }: ResolveRelocationsOptions = {},
): Generator<null, CoreResolution, void> {
  const rules = rulesOf(loader);
  const loadable = new Set(programs.flatMap((program) => (isPart(program, rules) ? [] : [program.name])));
  const unknown = names?.find((name) => !loadable.has(name));
  if (unknown !== undefined) throw invalid(`the object has no program "${unknown}"`);
  const wanted = names === undefined ? null : new Set(names);
  const isLoaded = (program: BpfProgram): boolean => {
    if (isPart(program, rules)) return rules.choice === 'EACH_RELOCATION';
    if (wanted !== null) return wanted.has(program.name);
    return rules.marked === 'LOADED' || program.autoload;
  };
  const work = new CoreWork();
  // The loaders take pointers of BPF programs to have 8 bytes, whatever their BTF says.
  const local = new CoreTypes(object.spec, 'the object', work, 8);
  const job = {
    object,
    programs,
    isLoaded,
    located: locate(object, programs, ext),
    rules,
    work,
    local,
    candidates: new Candidates(target, rules, work),
    comparisons: new Comparisons(local, rules, work),
  };
  yield null;
  const relocations = yield* rules.choice === 'EACH_RELOCATION' ? resolveEach(job) : resolveTypes(job);
  return { loader, loaderRelease: rules.release, relocations };
}

/**
 * rulesOf returns the rules of a loader.
 *
 * @throws BtfFormatError `INVALID_ARGUMENT` if the loader is unknown.
 */
export function rulesOf(loader: BpfLoader): LoaderRules {
  if (Object.hasOwn(RULES, loader)) return RULES[loader];
  throw invalid(`no loader "${loader}": use "libbpf" or "cilium"`);
}

/** Finds the program of each relocation. */
function locate(object: BpfObject, programs: readonly BpfProgram[], ext: BtfExt | null): Located[] {
  const blocks = ext?.relocations ?? [];
  const sections = object.elf.sectionIndices(new Set(blocks.map(({ section }) => section)), LONGEST_NAME);
  return blocks.flatMap(({ section, relocations }) => {
    const sectionIndex = sections.get(section);
    return relocations.map((record, index): Located => {
      const { instruction } = record;
      const program = sectionIndex === undefined ? null : programAt(programs, sectionIndex, instruction);
      return { record, index, section, program, instruction: instruction - (program?.start ?? 0) };
    });
  });
}

/** isPart reports whether a function is only a part of programs, for a loader. */
export function isPart({ isSubprogram, section }: BpfProgram, { staticFunctions }: LoaderRules): boolean {
  return staticFunctions === 'PROGRAMS' ? section === '.text' : isSubprogram;
}

function invalid(message: string): BtfFormatError {
  return new BtfFormatError('INVALID_ARGUMENT', message);
}
