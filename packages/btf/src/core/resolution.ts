import type { RelocationKind } from '../ext/records.js';
import type { BpfProgram } from '../object/programs.js';
import type { TypeId } from '../types.js';
import type { CorePatch } from './patch.js';
import type { BpfLoader } from './rules/loader-rules.js';

/**
 * CoreOutcome is what a loader does with a relocation.
 *
 * - `RESOLVED`: it writes a value into the instruction.
 * - `ABSENT`: nothing in the kernel matches, and it writes 0: checks of existence, and by libbpf sizes and ids of types.
 * - `POISONED`: nothing matches, and it replaces the instruction by an invalid one. The program loads if the verifier never
 *   gets there.
 * - `AMBIGUOUS`: candidates disagree. Nothing is loaded.
 * - `REFUSED`: it gives up, because the record is invalid or the value does not fit. Nothing is loaded.
 * - `SKIPPED`: the instruction is not part of a program that is loaded.
 */
export type CoreOutcome = 'RESOLVED' | 'ABSENT' | 'POISONED' | 'AMBIGUOUS' | 'REFUSED' | 'SKIPPED';

/** CorePlace is a place in a type of the object or of the kernel. */
export interface CorePlace {
  /** The root type. */
  readonly typeId: TypeId;
  /** Words for it: `struct inode.i_ctime.tv_sec`. Names of more than 512 characters are cut, and all after 1,024. */
  readonly text: string;
  /** Indexes from the root on, also those of anonymous members: `0:3:0`. Empty for a whole type. */
  readonly access: string;
  /** Bits from the start of the root; 0 for types and values of enums. */
  readonly bitOffset: number;
}

/** CoreCandidate is a type of the kernel that was compared with the local one. */
export interface CoreCandidate {
  /** `vmlinux`, or the name of a module. */
  readonly object: string;
  /** The place that matches; null if none does. */
  readonly place: CorePlace | null;
  readonly typeId: TypeId;
  /** Words for the type: `struct task_struct`. */
  readonly typeName: string;
  /** Why it does not match: `has no member i_ctime`; empty if it does. */
  readonly reason: string;
}

/** ResolvedRelocation is a CO-RE relocation as a loader resolves it. */
export interface ResolvedRelocation {
  /** Its index in its block of `.BTF.ext`: libbpf's `relo #3`. */
  readonly index: number;
  /** The ELF section of the instruction. */
  readonly section: string;
  /** The program or subprogram that has the instruction; null if none does. */
  readonly program: BpfProgram | null;
  /**
   * The program that it was resolved for. Loaders such as cilium/ebpf resolve the relocations of a subprogram for each
   * program that uses it, and not always in the same way. libbpf resolves each once: then this is `program`.
   */
  readonly loadedFor: BpfProgram | null;
  /** The instruction, counted from the start of its program; from the start of the section if there is none. */
  readonly instruction: number;
  /** Null for a kind that this library does not know. */
  readonly kind: RelocationKind | null;
  readonly kindNumber: number;
  /** The place in the object's types; null if it is invalid. */
  readonly local: CorePlace | null;
  readonly outcome: CoreOutcome;
  /**
   * The value that the instruction was compiled with, and the one for the kernel: an offset, a size, 0 or 1, a shift, an id
   * or the value of an enum, as unsigned numbers of 64 bits. 0 if there is none.
   */
  readonly localValue: bigint;
  readonly targetValue: bigint;
  /** For the offset of a member that is not a bitfield, its sizes in bytes; otherwise 0. */
  readonly localSize: number;
  readonly targetSize: number;
  /** The first candidate that matches; null if none does. */
  readonly match: CoreCandidate | null;
  /** At most 16 candidates, and none once those of the object have more than 4,194,304 characters in all. */
  readonly candidates: readonly CoreCandidate[];
  /** The number of all candidates. */
  readonly candidateCount: number;
  /** The change of the instruction; null if it stays, or is not loaded. */
  readonly patch: CorePatch | null;
  /** One clause that says why the outcome is not `RESOLVED`; otherwise empty. */
  readonly reason: string;
}

/** CoreResolution has the relocations of an object as a loader resolves them against a kernel. */
export interface CoreResolution {
  readonly loader: BpfLoader;
  /** The release of the loader whose rules were used. */
  readonly loaderRelease: string;
  /** In the order of `.BTF.ext`. */
  readonly relocations: readonly ResolvedRelocation[];
}
