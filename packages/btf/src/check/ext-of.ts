import type { BpfLoader } from '../core/rules/loader-rules.js';
import type { BtfExt } from '../ext/btf-ext.js';
import { BtfReadError } from '../format-error.js';
import { type BpfObject, readBtfExt } from '../object/bpf-object.js';

/** The sections for which libbpf needs the BTF of an object, and then also refuses a `.BTF.ext` that is invalid. */
const NEED_BTF: ReadonlySet<string> = /* @__PURE__ */ new Set([
  '.maps',
  '.struct_ops',
  '.struct_ops.link',
  '?.struct_ops',
  '?.struct_ops.link',
]);

const LONGEST = 17;

/**
 * extOf returns the `.BTF.ext` of an object as a loader reads it; null if there is none. libbpf ignores one that is invalid,
 * unless the object has maps or structs of functions. Modelled on `bpf_object__init_btf` of libbpf.
 *
 * @returns `ignored` says so in words; otherwise it is null.
 * @throws BtfReadError as {@link readBtfExt} does, if the loader refuses the object.
 */
export function extOf(
  object: BpfObject,
  loader: BpfLoader,
): { readonly ext: BtfExt | null; readonly ignored: string | null } {
  try {
    return { ext: readBtfExt(object), ignored: null };
  } catch (error) {
    const isRefused = loader !== 'libbpf' || object.elf.sectionIndices(NEED_BTF, LONGEST).size > 0;
    if (!(error instanceof BtfReadError) || error.code === 'LIMIT_EXCEEDED' || isRefused) throw error;
    return {
      ext: null,
      ignored: `the relocations of .BTF.ext, which libbpf ignores because it is invalid: ${error.message}`,
    };
  }
}
