import { BtfFormatError, children, fitsBase, isSplit, Spec } from '@btfd/btf';
import { CliError } from '../error/cli-error.js';
import { ExitCode } from '../error/exit-code.js';
import type { Source } from './source.js';

/**
 * standsAlone tells whether BTF needs no base. What repeats the empty string, as cilium/ebpf writes split BTF, is only
 * known by the names and types that it refers to.
 */
export function standsAlone(btf: Uint8Array): boolean {
  if (isSplit(btf)) return false;
  try {
    const spec = Spec.parse(btf);
    for (const type of spec) if (children(type).some((id) => id >= spec.endTypeId)) return false;
    // A module without types of its own continues its base all the same.
    return spec.typeCount > 0;
  } catch (error) {
    if (error instanceof BtfFormatError) return false;
    throw error;
  }
}

/** checkFit refuses split BTF on a base that it does not continue, before its types are taken for something. */
export function checkFit(spec: Spec, label: string, base: Source | null): void {
  if (base === null || fitsBase(spec)) return;
  throw new CliError(
    ExitCode.FAILURE,
    `${label} does not continue ${base.label}: on it the names of its types begin amid others`,
    'a module belongs to one build of the kernel: name its BTF with --base',
  );
}
