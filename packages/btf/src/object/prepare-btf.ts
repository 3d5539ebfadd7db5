import { parseHeader } from '../header.js';
import { rejectUnknown } from '../notes.js';
import type { Spec } from '../spec.js';
import { type Datasec, Kind } from '../types.js';
import type { BpfObject } from './bpf-object.js';
import { BtfEditor } from './btf-editor.js';
import { prepareDataSections } from './data-sections.js';
import { prepareExterns } from './externs.js';
import { prepareHiddenFunctions } from './visibility.js';

/**
 * prepareBtf returns the BTF of a BPF object as libbpf loads it into the kernel. Kernels reject the BTF that compilers
 * write, because it leaves to the loader what only the rest of the file says:
 *
 * - Data sections (`.data`, `.bss`, `.rodata`, `.maps`, `.struct_ops`, …) get their sizes, and variables their offsets.
 * - Kernel functions and variables (`__ksym`), strong and weak, become global, and 4 bytes of `.ksyms`.
 * - Kconfig variables (`__kconfig`) become global and get a place in `.kconfig`.
 * - Hidden functions and variables become static.
 *
 * Type ids do not change: types and names are only added at the end. It does not look into a kernel, so it does not say
 * whether a kernel has the externs. For kernels that are too old for a type, and for names such as `?.struct_ops`, use
 * `adaptBtf` on the result. Modelled on `bpf_object__collect_externs` and `bpf_object_fixup_btf` of libbpf 1.8, whose
 * bytes it returns.
 *
 * ```ts
 * const bytes = prepareBtf(parseBpfObject(readFileSync('program.bpf.o')));
 * ```
 *
 * @returns a copy, in the byte order of the object.
 * @throws BtfFormatError `INVALID_ARGUMENT` if a function or variable is declared `extern` for another object: link both
 * first, with `bpftool gen object`.
 * @throws BtfFormatError `MALFORMED` if the BTF and the file contradict each other: the file does not have a section or
 * a variable, a section contains something other than variables, or a variable of `.kconfig` has no size. Also for names
 * and references that are invalid.
 * @throws BtfFormatError `UNSUPPORTED` for flags, header fields and sections that are unknown: parts of the BTF move, and
 * what they say about it could become wrong.
 * @throws BtfFormatError `LIMIT_EXCEEDED` if names are too long.
 */
export function prepareBtf(object: BpfObject): Uint8Array {
  rejectUnknown(parseHeader(object.spec.bytes).notes, 'the BTF cannot be prepared for a kernel');
  const editor = new BtfEditor(object.spec);
  const sections = dataSections(object.spec);
  prepareExterns(object.spec, sections, editor);
  prepareDataSections(object, sections, editor);
  prepareHiddenFunctions(object, editor);
  return editor.bytes();
}

function dataSections(spec: Spec): Datasec[] {
  const sections: Datasec[] = [];
  for (const id of spec.typeIds()) {
    const type = spec.kindOf(id) === Kind.DATASEC ? spec.typeById(id) : null;
    if (type?.kind === 'DATASEC') sections.push(type);
  }
  return sections;
}
