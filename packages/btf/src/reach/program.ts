import type { ByteOrder } from '../header.js';

/**
 * ReachProgram is a program as a loader would pass it to the kernel: its instructions after relocation, and after them
 * the functions that it calls or points to, directly or through others. Instructions are numbered from 0 across all of
 * them; `ld_imm64` counts twice.
 */
export interface ReachProgram {
  /** The instructions, with the values of relocations in place. */
  readonly code: Uint8Array;
  readonly byteOrder: ByteOrder;
  /** The functions in the order of their instructions. The first is the program, and starts at 0. */
  readonly functions: readonly ReachFunction[];
  /** The ELF relocations, by instruction. Those of CO-RE are not among them. */
  readonly references: ReadonlyMap<number, Reference>;
  /** The instructions that the loader replaced by an invalid call. */
  readonly poisoned: ReadonlySet<number>;
  /** Other instructions whose reach is asked for, such as calls of helpers that the kernel does not have. */
  readonly asked: readonly number[];
  readonly variables: readonly ReadOnlyVariable[];
  readonly verifier: VerifierTraits;
}

/** ReachFunction is a function, up to the next one. */
export interface ReachFunction {
  /** Its first instruction. */
  readonly start: number;
  /** Whether it has global linkage in BTF. The verifier checks such a function on its own, with unknown arguments. */
  readonly isGlobal: boolean;
  /** Whether the verifier checks it although nothing calls it, as the function for exceptions. The first is always checked. */
  readonly isEntry?: boolean;
}

/**
 * Reference is the target of an ELF relocation:
 *
 * - `data`: read-only data;
 * - `function`: a function of the program, by its first instruction, to call or to point to;
 * - `absent`: a weak symbol that the kernel does not have, whose address is 0;
 * - `kfunc`: a kernel function that the kernel has;
 * - `throw`: bpf_throw, which does not return;
 * - `other`: everything else, such as maps, variables that can change, and externs with an unknown value.
 */
export type Reference =
  | { readonly to: 'data'; readonly section: number; readonly offset: number }
  | { readonly to: 'function'; readonly start: number }
  | { readonly to: 'absent' | 'kfunc' | 'throw' | 'other' };

/** ReadOnlyVariable is a variable in a section that is read-only once the program is loaded. Variables do not overlap. */
export interface ReadOnlyVariable {
  /** The section, by the number that references use. */
  readonly section: number;
  /** Its place in the section, in bytes. */
  readonly offset: number;
  readonly bytes: Uint8Array;
  /** Whether user space cannot set it, as for `LINUX_KERNEL_VERSION`. */
  readonly isCertain: boolean;
}

/** VerifierTraits are properties of the verifier that depend on the version of the kernel. */
export interface VerifierTraits {
  /** Whether it knows the content of read-only data: since Linux 5.5. */
  readonly readsData: boolean;
  /** Whether it computes `xor` of constants: since Linux 5.10. */
  readonly computesXor: boolean;
  /** Whether it checks global functions that no reached instruction calls: before Linux 6.8. */
  readonly checksAllGlobals: boolean;
}

/**
 * verifierTraits returns the traits of a kernel by its version, as in `LINUX_KERNEL_VERSION`. For an unknown version,
 * null, it returns the traits with which every proof holds on every kernel.
 */
export function verifierTraits(version: number | null): VerifierTraits {
  const atLeast = (major: number, minor: number): boolean =>
    version !== null && version >= (major << 16) + (minor << 8);
  return {
    readsData: atLeast(5, 5),
    computesXor: atLeast(5, 10),
    checksAllGlobals: !atLeast(6, 8),
  };
}
