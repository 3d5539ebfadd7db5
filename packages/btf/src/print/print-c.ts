import { pointerSize as inferPointerSize, type PointerSize } from '../query/pointer-size.js';
import type { Spec } from '../spec.js';
import type { TypeId } from '../types.js';
import { CPrinter } from './c-printer.js';

/** PrintCOptions are the options of {@link printC}. */
export interface PrintCOptions {
  /** The types to define, with all that they need. Default: every type of the spec and of its bases. */
  readonly roots?: Iterable<TypeId>;
  /** Most bytes of text. Default: 64 MiB, some twenty times what a kernel takes. */
  readonly maxBytes?: number;
  /**
   * Whether to write the include guard and the pragma `preserve_access_index` around the definitions, as
   * bpftool does. Default: true.
   */
  readonly preamble?: boolean;
  /** Bytes of a pointer. Default: what the spec's `long` says, else 8. */
  readonly pointerSize?: PointerSize;
}

const DEFAULT_MAX_BYTES = 64 * 1024 * 1024;

/** Bytes from which a chunk is handed out. */
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
 * printC writes types as C, as `bpftool btf dump format c` does: in the order of their ids where C allows it,
 * else sorted so that what a type contains stands before it.
 *
 * Names are printed as they are, even where they are no identifiers of C. A struct with a tag may be a member without
 * a name (since Linux 7): compilers take that with `-fms-extensions`, and without it leave the member out.
 *
 * @throws BtfFormatError `LIMIT_EXCEEDED` when the text exceeds `maxBytes`, or types nest too deep or refer to
 * each other too often; `MALFORMED` when types contain themselves or a declaration cannot have its type;
 * `NOT_FOUND` for ids that no type has.
 */
export function printC(spec: Spec, options: PrintCOptions = {}): string {
  let text = '';
  for (const chunk of printCChunks(spec, options)) text += chunk;
  return text;
}

/**
 * printCChunks is {@link printC} in pieces of some 64 KiB, each ending between two definitions, so that a caller
 * can stop, send or do other work in between.
 *
 * A definition is not broken up: what writes it calls itself for each type within, and could stop amid that only as a
 * generator at every level, which every definition would pay for. So what can happen between two pieces is one
 * definition that takes all of `maxBytes`, and the steps that are left of those for the whole (4,194,304 and 64 for
 * each type). Only hostile BTF has such definitions: where it is not trusted, set `maxBytes` low, or print where
 * nobody waits, in a worker.
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
