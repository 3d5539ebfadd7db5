import { BtfReadError, children, fitsBase, isSplit, Spec } from '@btfd/btf';
import { CliError } from '../error/cli-error.js';
import { ExitCode } from '../error/exit-code.js';
import type { Source } from './source.js';

/**
 * standsAlone reports whether BTF needs no base. Split BTF from cilium/ebpf starts with an empty string too, so it is only
 * recognized by the names and types that it refers to.
 */
export function standsAlone(btf: Uint8Array): boolean {
  if (isSplit(btf)) return false;
  try {
    const spec = Spec.parse(btf);
    for (const type of spec) if (children(type).some((id) => id >= spec.endTypeId)) return false;
    // A module without types of its own needs its base too.
    return spec.typeCount > 0;
  } catch (error) {
    if (error instanceof BtfReadError) return false;
    throw error;
  }
}

/** checkFit checks that split BTF was built for its base. @throws CliError FAILURE if it was not. */
export function checkFit(spec: Spec, label: string, base: Source | null): void {
  if (base === null || fitsBase(spec)) return;
  throw new CliError(
    ExitCode.FAILURE,
    `${label} is not split from ${base.label}: its names do not start at string boundaries of that base`,
    'a module belongs to one build of the kernel: name the BTF of that build with --base',
  );
}
