import { pointerSize as inferPointerSize, type PointerSize } from '../query/pointer-size.js';
import type { Spec } from '../spec.js';
import type { TypeId } from '../types.js';
import { CPrinter, sourceOf } from './c-printer.js';

/** PrintCOptions are the options of {@link printC}. */
export interface PrintCOptions {
  /**
   * The types to define, with all types that they need, and the functions and variables to declare. Default: every type
   * of the spec and of its bases, and no function except kfuncs.
   */
  readonly roots?: Iterable<TypeId>;
  /** Maximum number of bytes of text. Default: 64 MiB, about twenty times the text of a kernel. */
  readonly maxBytes?: number;
  /**
   * Whether to write the include guard, the pragma `preserve_access_index` and the macros for kfuncs around the
   * definitions, as bpftool 7.8 does. Default: true.
   */
  readonly preamble?: boolean;
  /**
   * Whether to sort all types as bpftool 7.8 does, so that the headers of two similar kernels have few differences. Otherwise
   * they are in the order of their ids, as with bpftool's `unsorted`. `roots` keep their order. Default: true.
   */
  readonly sorted?: boolean;
  /**
   * Whether to declare kfuncs, the functions of the kernel that BPF programs may call: all without `roots`, otherwise
   * those among them. Default: as `preamble`, which has the macros that they need.
   */
  readonly kfuncs?: boolean;
  /** Whether to assert the size and the offsets of each type with `_Static_assert`. Default: false. */
  readonly assertions?: boolean;
  /** Bytes of a pointer. Default: the size of the spec's `long`, otherwise 8. */
  readonly pointerSize?: PointerSize;
}

/** DEFAULT_MAX_BYTES is the default limit of a text: about twenty times the text of a kernel. */
export const DEFAULT_MAX_BYTES = 64 * 1024 * 1024;

/** The size from which a chunk is yielded. */
const CHUNK = 64 * 1024;

const PREAMBLE = `\
#ifndef __VMLINUX_H__
#define __VMLINUX_H__

#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute push (__attribute__((preserve_access_index)), apply_to = record)
#endif

#ifndef __ksym
#define __ksym __attribute__((section(".ksyms")))
#endif

#ifndef __weak
#define __weak __attribute__((weak))
#endif

#ifndef __bpf_fastcall
#if __has_attribute(bpf_fastcall)
#define __bpf_fastcall __attribute__((bpf_fastcall))
#else
#define __bpf_fastcall
#endif
#endif

`;

const EPILOGUE = `\
#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute pop
#endif

#endif /* __VMLINUX_H__ */
`;

/**
 * printC returns types as C, as bpftool 7.8 prints them with `btf dump format c`: enums, structs and unions by name, each
 * after the types that it contains, and the kfuncs. Modelled on libbpf's `btf_dump`.
 *
 * A compiler gives each type the size and the offsets of the BTF, without `-fms-extensions`, on x86-64 and for BPF. Where
 * bpftool's text would have another layout, the text differs from bpftool's: the struct is packed and its gaps are filled,
 * and a member of the type `va_list` has the type that the kernel's compiler has for it.
 * If C cannot place the members, for example because they overlap, the struct is an array of bytes with a comment. A
 * comment at the end has the number of such types. The BTF of a kernel has none. Names become identifiers of C.
 *
 * @throws BtfFormatError `LIMIT_EXCEEDED` if the text exceeds `maxBytes`, or types nest too deep or refer to each other
 * too often.
 * @throws BtfFormatError `MALFORMED` if types contain themselves, if a declaration cannot have its type, and for a name
 * outside the string section.
 * @throws BtfLookupError `NOT_FOUND` for ids that no type has.
 */
export function printC(spec: Spec, options: PrintCOptions = {}): string {
  let text = '';
  for (const chunk of printCChunks(spec, options)) text += chunk;
  return text;
}

/**
 * printCChunks is {@link printC} in chunks of about 64 KiB. Each chunk ends between two definitions, so that a caller
 * can stop, send or do other work in between.
 *
 * A definition is not split, because the recursive function that writes it cannot pause. One definition may therefore
 * take all of `maxBytes`, and all remaining steps of the whole text (4,194,304, and 64 for each type). Only hostile BTF
 * has such definitions. If you do not trust the BTF, set a low `maxBytes`, or print in a worker.
 *
 * @throws BtfReadError as {@link printC} does.
 */
export function* printCChunks(spec: Spec, options: PrintCOptions = {}): Generator<string, void, undefined> {
  const { preamble = true, maxBytes = DEFAULT_MAX_BYTES, roots, sorted = true, assertions = false } = options;
  const { kfuncs = preamble } = options;
  const pointerSize = options.pointerSize ?? inferPointerSize(spec);
  const printer = new CPrinter(sourceOf(spec), { pointerSize, maxBytes, assertions });
  const { out } = printer;
  if (preamble) out.write(PREAMBLE);
  const kfuncRoots: TypeId[] = [];
  for (const id of roots ?? (sorted ? printer.sorted() : spec.typeIds(1))) {
    const kfunc = roots === undefined ? null : printer.declare(id);
    if (kfunc !== null) kfuncRoots.push(kfunc);
    printer.define(id);
    if (out.length >= CHUNK) yield out.take();
  }
  if (kfuncs && roots === undefined) printer.declareKfuncs();
  else if (kfuncs && kfuncRoots.length > 0) printer.declareKfuncs(kfuncRoots);
  if (printer.bytesCount > 0)
    out.write(`/* Types that C cannot state, as bytes: ${printer.bytesCount} */\n\n`);
  if (preamble) out.write(EPILOGUE);
  if (out.length > 0) yield out.take();
}
