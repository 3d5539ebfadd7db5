import { pointerSize as inferPointerSize, type PointerSize } from '../query/pointer-size.js';
import type { Spec } from '../spec.js';
import type { TypeId } from '../types.js';
import { CPrinter } from './c-printer.js';

/** PrintCOptions are the options of {@link printC}. */
export interface PrintCOptions {
  /** The types to define, with all types that they need. Default: every type of the spec and of its bases. */
  readonly roots?: Iterable<TypeId>;
  /** Maximum number of bytes of text. Default: 64 MiB, about twenty times the text of a kernel. */
  readonly maxBytes?: number;
  /**
   * Whether to write the include guard and the pragma `preserve_access_index` around the definitions, as
   * bpftool does. Default: true.
   */
  readonly preamble?: boolean;
  /** Bytes of a pointer. Default: the size of the spec's `long`, otherwise 8. */
  readonly pointerSize?: PointerSize;
}

const DEFAULT_MAX_BYTES = 64 * 1024 * 1024;

/** The size from which a chunk is yielded. */
const CHUNK = 64 * 1024;

const PREAMBLE = `\
#ifndef __VMLINUX_H__
#define __VMLINUX_H__

#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute push (__attribute__((preserve_access_index)), apply_to = record)
#endif

`;

const EPILOGUE = `\
#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute pop
#endif

#endif /* __VMLINUX_H__ */
`;

/**
 * printC returns types as C, in the format of `bpftool btf dump format c`: in the order of their ids where C allows it,
 * and otherwise with each type after the types that it contains. Modelled on libbpf's `btf_dump`.
 *
 * Names are printed as they are, even if they are not identifiers of C. A struct with a tag may be a member without a
 * name (since Linux 7.0). Compilers accept that with `-fms-extensions`, and otherwise leave the member out.
 *
 * @throws BtfFormatError `LIMIT_EXCEEDED` if the text exceeds `maxBytes`, or types nest too deep or refer to each other
 * too often.
 * @throws BtfFormatError `MALFORMED` if types contain themselves, if a declaration cannot have its type, and for a name
 * outside the string section.
 * @throws BtfFormatError `NOT_FOUND` for ids that no type has.
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
 * @throws BtfFormatError as {@link printC} does.
 */
export function* printCChunks(spec: Spec, options: PrintCOptions = {}): Generator<string, void, undefined> {
  const { preamble = true, maxBytes = DEFAULT_MAX_BYTES, roots } = options;
  const printer = new CPrinter(spec, options.pointerSize ?? inferPointerSize(spec), maxBytes);
  const { out } = printer;
  if (preamble) out.write(PREAMBLE);
  if (roots === undefined) {
    for (let id = 1; id < spec.endTypeId;) {
      id = printer.defineFrom(id, spec.endTypeId, CHUNK);
      if (out.length >= CHUNK) yield out.take();
    }
  } else {
    for (const root of roots) {
      printer.define(root);
      if (out.length >= CHUNK) yield out.take();
    }
  }
  if (preamble) out.write(EPILOGUE);
  if (out.length > 0) yield out.take();
}
