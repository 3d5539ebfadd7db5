import type { BpfProgram } from '../../object/programs.js';
import type { SectionName } from '../../object/section-names.js';
import type { BpfLoader } from '../../core/rules/loader-rules.js';
import { type FoundType, type KernelObjects, ownIds } from '../kernel-objects.js';
import type { LinkedProgram } from '../link.js';
import type { Need } from '../report.js';
import type { NearNames } from '../near-names.js';
import { contextReads } from './context-reads.js';
import { FITS, need } from './need.js';
import { isPatternSection, type Patterns } from './patterns.js';
import { signatureOf } from './signature.js';

/** Target is the way in which programs of an attach type find what they attach to. */
interface Target {
  readonly prefix: string;
  readonly kind: 'FUNC' | 'TYPEDEF';
  /** Whether a program may read the result of the function after its arguments. */
  readonly hasResult: boolean;
  /** Whether the kernel calls programs through a trampoline, which limits the arguments of the function. */
  readonly hasTrampoline: boolean;
  /** Whether the context has the arguments, each in a word of 64 bits. */
  readonly hasArguments: boolean;
}

const FUNCTION: Target = {
  prefix: '',
  kind: 'FUNC',
  hasResult: true,
  hasTrampoline: true,
  hasArguments: true,
};

/** The attach types whose sections name a target. */
const TARGETS: Readonly<Record<string, Target>> = {
  TRACE_FENTRY: { ...FUNCTION, hasResult: false },
  TRACE_FEXIT: FUNCTION,
  MODIFY_RETURN: FUNCTION,
  TRACE_FSESSION: FUNCTION,
  LSM_MAC: { ...FUNCTION, prefix: 'bpf_lsm_' },
  LSM_CGROUP: { ...FUNCTION, prefix: 'bpf_lsm_' },
  TRACE_RAW_TP: {
    ...FUNCTION,
    prefix: 'btf_trace_',
    kind: 'TYPEDEF',
    hasResult: false,
    hasTrampoline: false,
  },
  TRACE_ITER: { ...FUNCTION, prefix: 'bpf_iter_', hasArguments: false },
};

/** The sections of programs that attach to one function by its symbol. */
const SYMBOLS = /* @__PURE__ */ new Set(['kprobe', 'kretprobe']);

/** The kernel's MAX_BPF_FUNC_ARGS. */
const MAX_ARGUMENTS = 12;

/** AttachContext has what attach targets depend on. */
export interface AttachContext {
  readonly kernel: KernelObjects;
  readonly near: NearNames;
  /** The targets of programs, by name, that count instead of those in the names of their sections. */
  readonly attachTargets: ReadonlyMap<string, string>;
  readonly loader: BpfLoader;
  /** The words of arguments that the trampolines of the kernel pass on each machine. */
  readonly argumentWords: number;
  /** Whether the kernel traces functions that take a struct. */
  readonly passesStructs: boolean;
  readonly patterns: Patterns;
}

/** attachNeed returns what a program attaches to, as its section says; null if the section has no target to look for. */
export function attachNeed(
  linked: LinkedProgram,
  section: SectionName | null,
  context: AttachContext,
): Need | null {
  if (section === null) return null;
  const name = context.attachTargets.get(linked.root.name) ?? targetName(linked.root, section);
  if (SYMBOLS.has(section.prefix)) return name === '' ? null : symbolNeed(name, context.kernel);
  if (isPatternSection(section)) return name === '' ? null : context.patterns.needOf(name, section);
  if (section.programType === 'EXT') {
    const reason = 'user space gives the program that has the function to replace';
    return need('ATTACH_TARGET', name, ['UNKNOWN', reason]);
  }
  const target = TARGETS[section.attachType ?? ''];
  if (target === undefined) return null;
  if (name === '') {
    const reason = 'the section names no target: user space has to set it before the load';
    return need('ATTACH_TARGET', '', ['UNKNOWN', reason]);
  }
  const found = findTarget(name, target, context);
  if (found === null) {
    const what = target.kind === 'FUNC' ? 'function' : 'typedef';
    const reason = `the kernel's BTF has no ${what} ${target.prefix}${plainName(name)}`;
    const near = context.near.ofType(target.kind, plainName(name), target.prefix);
    return need('ATTACH_TARGET', name, ['FAILS', reason], { near });
  }
  return need('ATTACH_TARGET', name, judge(linked, target, found, context), { found });
}

function targetName({ section }: BpfProgram, { prefix }: SectionName): string {
  const name = section.startsWith('?') ? section.slice(1) : section;
  return name.slice(prefix.length + 1);
}

function plainName(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}

/** A name may begin with that of a module, of which libbpf compares as much as there is. */
function findTarget(name: string, { prefix, kind }: Target, { kernel }: AttachContext): FoundType | null {
  const colon = name.indexOf(':');
  const wanted = `${prefix}${plainName(name)}`;
  if (colon < 0) return kernel.find(wanted, kind);
  const module = name.slice(0, colon);
  const isWanted = (own: string): boolean => own.startsWith(module);
  return 'vmlinux'.startsWith(module)
    ? kernel.find(wanted, kind, isWanted)
    : kernel.findInModules(wanted, kind, isWanted);
}

function judge(
  linked: LinkedProgram,
  target: Target,
  found: FoundType,
  { loader, argumentWords, passesStructs }: AttachContext,
): readonly ['FITS' | 'UNKNOWN' | 'FAILS', string] {
  const { spec, typeId, name } = found;
  const same = target.kind === 'FUNC' ? ownIds(spec, spec.nameOf(typeId), 'FUNC').length : 1;
  if (same > 1) {
    const reason = `${name} has ${same} functions of this name`;
    if (loader === 'cilium') return ['FAILS', `${reason}: the loader does not choose one`];
    return ['UNKNOWN', `${reason}: the loader takes the first`];
  }
  const signature = signatureOf(spec, typeId, target.kind === 'TYPEDEF');
  if (signature === null) return ['FAILS', 'it is not a function'];
  if (target.hasTrampoline && signature.obstacle !== null) return ['FAILS', signature.obstacle];
  const { words, hasStruct, isVoid } = signature;
  if (target.hasTrampoline && hasStruct && !passesStructs)
    return ['FAILS', 'it takes a struct: kernels before Linux 6.1 do not trace such functions'];
  if (target.hasTrampoline && words > MAX_ARGUMENTS) {
    return [
      'FAILS',
      `its arguments take ${words} words: the kernel traces functions of at most ${MAX_ARGUMENTS}`,
    ];
  }
  const read = target.hasArguments ? contextReads(linked) : -1;
  const available = words + (target.hasResult && !isVoid ? 1 : 0);
  if (read >= available) {
    const what = target.hasResult && !isVoid ? 'words of arguments and result' : 'words of arguments';
    return ['FAILS', `the program reads word ${read + 1} of its context, which has ${available} ${what}`];
  }
  if (target.hasTrampoline && words > argumentWords) {
    const reason = `its arguments take ${words} words: not every kernel and machine passes more than ${argumentWords}`;
    return ['UNKNOWN', reason];
  }
  return FITS;
}

function symbolNeed(name: string, kernel: KernelObjects): Need {
  // An offset in the function may follow.
  const [plain = ''] = name.split('+');
  const found = kernel.find(plain, 'FUNC');
  const hint = found === null ? 'has no function of this name' : 'has a function of this name';
  const where = found?.name ?? "the kernel's BTF";
  return need('SYMBOL', name, ['UNKNOWN', `the symbols of the kernel decide: ${where} ${hint}`], { found });
}
