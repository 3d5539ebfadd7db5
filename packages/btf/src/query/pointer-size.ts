import type { Spec } from '../spec.js';
import { type Int, Kind, type Type } from '../types.js';

/** Every spelling of C's `long` and `unsigned long`, as in libbpf's `determine_ptr_size`. */
const LONG = new Set([
  'long',
  'long int',
  'int long',
  'unsigned long',
  'long unsigned',
  'unsigned long int',
  'unsigned int long',
  'long unsigned int',
  'long int unsigned',
  'int unsigned long',
  'int long unsigned',
]);

/** PointerSize is the size of a pointer in bytes. */
export type PointerSize = 4 | 8;

const found = new WeakMap<Spec, PointerSize>();

/**
 * pointerSize returns the size of a pointer in bytes. BTF does not record it, but in every Linux ABI a pointer is as
 * long as a `long`. The first INT of such a name decides, those of the base first. Without one, the size is 8. Modelled
 * on libbpf's `btf__pointer_size`.
 *
 * The result is kept with the spec.
 *
 * @throws BtfFormatError `MALFORMED` if the name of an earlier INT lies outside the string section.
 * @throws BtfFormatError `LIMIT_EXCEEDED` if the name of an earlier INT is too long.
 */
export function pointerSize(spec: Spec): PointerSize {
  let size = found.get(spec);
  if (size === undefined) {
    size = longOf(spec)?.size ?? 8;
    found.set(spec, size);
  }
  return size;
}

/** LongInt is an INT of the name `long` or `unsigned long`. */
export type LongInt = Int & { readonly size: PointerSize };

/**
 * longOf returns the INT that decides the size of a pointer; null if there is none.
 *
 * @throws BtfReadError as {@link pointerSize} does.
 */
export function longOf(spec: Spec): LongInt | null {
  const ofBase = spec.base === null ? null : longOf(spec.base);
  if (ofBase !== null) return ofBase;
  for (const id of spec.typeIds()) {
    if (spec.kindOf(id) !== Kind.INT) continue;
    const type = spec.typeById(id);
    if (isLong(type)) return type;
  }
  return null;
}

function isLong(type: Type): type is LongInt {
  return type.kind === 'INT' && LONG.has(type.name) && (type.size === 4 || type.size === 8);
}
