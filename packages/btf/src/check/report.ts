import type { ResolvedRelocation } from '../core/resolution.js';
import type { BpfLoader } from '../core/rules/loader-rules.js';
import type { SourceLine } from '../ext/lines.js';
import type { ByteOrder } from '../header.js';
import type { Reach } from '../reach/reach.js';
import type { TypeId } from '../types.js';
import type { Verdict } from './verdict.js';

/**
 * NeedKind is what a need asks of the kernel:
 *
 * - `ATTACH_TARGET`: a function or tracepoint that a program of a tracing type attaches to.
 * - `SYMBOL`: a function that a kprobe attaches to. The kernel's symbols decide; BTF is a hint.
 * - `KFUNC`: a kernel function that programs call.
 * - `KSYM_VARIABLE`: a variable of the kernel with a type.
 * - `KSYM_ADDRESS`: an address of the kernel without a type. The kernel's symbols decide.
 * - `KCONFIG`: a value of the kernel's configuration.
 * - `STRUCT_OPS`, `STRUCT_OPS_MEMBER`: a struct of functions that programs implement, and a member of it.
 * - `HELPER`: a helper that programs call.
 * - `MAP_TYPE`, `PROGRAM_TYPE`, `ATTACH_TYPE`: a value of `enum bpf_map_type`, `bpf_prog_type`, `bpf_attach_type`.
 * - `BYTE_ORDER`: the byte order of the object.
 */
export type NeedKind =
  | 'ATTACH_TARGET'
  | 'SYMBOL'
  | 'KFUNC'
  | 'KSYM_VARIABLE'
  | 'KSYM_ADDRESS'
  | 'KCONFIG'
  | 'STRUCT_OPS'
  | 'STRUCT_OPS_MEMBER'
  | 'HELPER'
  | 'MAP_TYPE'
  | 'PROGRAM_TYPE'
  | 'ATTACH_TYPE'
  | 'BYTE_ORDER';

/** Need is something that an object needs of the kernel and that is not a relocation. */
export interface Need {
  readonly kind: NeedKind;
  /** `tcp_v4_connect`, `bpf_task_acquire`, `BPF_MAP_TYPE_ARENA`. */
  readonly name: string;
  /** Whether the object declares that it also loads without it (`__weak`). */
  readonly optional: boolean;
  readonly verdict: Verdict;
  /** Where it was found: `vmlinux`, or the name of a module; null if it was not, or is not a type. */
  readonly object: string | null;
  /** Its type id there. */
  readonly typeId: TypeId | null;
  /** Declarations in C of the object and of the kernel where they differ; otherwise empty. */
  readonly local: string;
  readonly target: string;
  /** The line of its first use; null if it has none, or the object has no lines. */
  readonly source: SourceLine | null;
  /** One clause that says why the verdict is not `FITS`; otherwise empty. */
  readonly reason: string;
  /**
   * Names of the kernel that a missing one may have been meant to be: three at most, nearest first. Only of findings from
   * `AT_RISK` on, and only of the first 64 such names of an object; otherwise empty.
   */
  readonly near: readonly string[];
}

/** RelocationFinding is a relocation with what it means for the load. */
export interface RelocationFinding {
  readonly relocation: ResolvedRelocation;
  /** The reach of an instruction that the loader poisoned; null for others. */
  readonly reach: Reach | null;
  readonly verdict: Verdict;
  readonly source: SourceLine | null;
  /** One clause that says why the verdict is neither `FITS` nor `CHANGED`; otherwise empty. */
  readonly reason: string;
  /** As for a {@link Need}: names of types, of members, or of values of an enum. */
  readonly near: readonly string[];
}

/** ProgramResult says whether a program fits the kernel. */
export interface ProgramResult {
  readonly name: string;
  /** The name of the ELF section, with its `?` if it has one. */
  readonly section: string;
  /** The value of `enum bpf_prog_type` without `BPF_PROG_TYPE_`; null if the section does not say. */
  readonly programType: string | null;
  /** Whether the loader loads it by default, or the options name it. */
  readonly loaded: boolean;
  /** The worst of its findings; null if it is not loaded, because nothing is judged then. */
  readonly verdict: Verdict | null;
  /** Also those of the subprograms that it uses. */
  readonly relocations: readonly RelocationFinding[];
  readonly needs: readonly Need[];
}

/** VerdictCount has the number of findings and programs with a verdict. */
export interface VerdictCount {
  readonly verdict: Verdict;
  readonly relocations: number;
  readonly needs: number;
  readonly programs: number;
}

/** ObjectSummary says whether an object fits the kernel. */
export interface ObjectSummary {
  readonly loader: BpfLoader;
  /** The release of the loader whose rules were used. */
  readonly loaderRelease: string;
  readonly byteOrder: ByteOrder;
  /** The worst of the loaded programs, and of the findings below. */
  readonly verdict: Verdict;
  /** One for each verdict, from harmless to fatal. */
  readonly counts: readonly VerdictCount[];
  /** The needs of the object: of its maps, and of externs that no loaded program uses but the loader looks for. */
  readonly needs: readonly Need[];
  /** Relocations that make the loader refuse the object, in functions that no loaded program uses. */
  readonly relocations: readonly RelocationFinding[];
  /** Needs that BTF does not decide, in words: `the values of 3 Kconfig variables`. */
  readonly notJudged: readonly string[];
  /** The names of the modules whose BTF was read. */
  readonly modules: readonly string[];
  /** Whether something was looked for in all modules. Then the answer may differ where other modules are loaded. */
  readonly dependsOnAllModules: boolean;
  /** Whether the object reads `LINUX_KERNEL_VERSION`. */
  readonly dependsOnKernelVersion: boolean;
}

/** ObjectReport is the result of `checkObject`. */
export interface ObjectReport extends ObjectSummary {
  /** In the order of their sections and instructions. Subprograms are parts of them. */
  readonly programs: readonly ProgramResult[];
}
