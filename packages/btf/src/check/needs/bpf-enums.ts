import { BtfReadError } from '../../format-error.js';
import type { Spec } from '../../spec.js';
import { type EnumValues, enumValues, type KernelObjects } from '../kernel-objects.js';
import type { Verdict } from '../verdict.js';

/** BpfEnum is one of the enums of bpf(2) that say what a kernel knows. */
export type BpfEnum = 'bpf_func_id' | 'bpf_map_type' | 'bpf_prog_type' | 'bpf_attach_type';

/** The last name of each enum. Programs cannot use its value. */
const ENDS: Readonly<Record<BpfEnum, string>> = {
  bpf_func_id: '__BPF_FUNC_MAX_ID',
  bpf_map_type: '__MAX_BPF_MAP_TYPE',
  bpf_prog_type: '__MAX_BPF_PROG_TYPE',
  bpf_attach_type: '__MAX_BPF_ATTACH_TYPE',
};

/** BpfEnums looks values up in the enums of bpf(2) that the kernel and the object have. */
export class BpfEnums {
  readonly #kernel: KernelObjects;
  readonly #local: Spec;

  constructor(kernel: KernelObjects, local: Spec) {
    this.#kernel = kernel;
    this.#local = local;
  }

  /**
   * hasName reports whether the kernel has a value.
   *
   * @returns null if its BTF does not have the enum.
   */
  hasName(enumName: BpfEnum, name: string): boolean | null {
    const values = this.#ofKernel(enumName);
    return values === null ? null : values.byName.has(name);
  }

  /** hasNumber is {@link hasName} for a number. */
  hasNumber(enumName: BpfEnum, number: number): boolean | null {
    const values = this.#ofKernel(enumName);
    if (values === null) return null;
    const end = values.byName.get(ENDS[enumName]);
    // The first value stands for nothing.
    return number > 0 && values.byNumber.has(BigInt(number)) && (end === undefined || BigInt(number) < end);
  }

  /** nameOf returns the name of a number: as the kernel has it, or else the object; null if neither has one. */
  nameOf(enumName: BpfEnum, number: number): string | null {
    const key = BigInt(number);
    return this.#ofKernel(enumName)?.byNumber.get(key) ?? this.#ofObject(enumName)?.byNumber.get(key) ?? null;
  }

  #ofKernel(name: BpfEnum): EnumValues | null {
    return enumValues(this.#kernel.vmlinux.spec, name);
  }

  #ofObject(name: BpfEnum): EnumValues | null {
    try {
      return enumValues(this.#local, name);
    } catch (error) {
      // Its names are only nice to have.
      if (error instanceof BtfReadError) return null;
      throw error;
    }
  }
}

/** verdictOfValue returns the verdict of a value that the kernel has, does not have, or may have. */
export function verdictOfValue(
  has: boolean | null,
  enumName: BpfEnum,
  missing: Verdict = 'FAILS',
): readonly [Verdict, string] {
  if (has === true) return ['FITS', ''];
  return has === null
    ? ['UNKNOWN', `the BTF of vmlinux has no enum ${enumName}`]
    : [missing, `enum ${enumName} of the kernel does not have it`];
}
