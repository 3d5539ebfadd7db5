import type { Spec } from '../spec.js';
import { Kind } from '../types.js';

/** Every way to write C's `long` and `unsigned long`, as libbpf's determine_ptr_size lists them. */
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

/** PointerSize is how many bytes a pointer has. */
export type PointerSize = 4 | 8;

const found = new WeakMap<Spec, PointerSize>();

/**
 * pointerSize tells how many bytes a pointer has: BTF does not say, but in every Linux ABI a pointer is as
 * long as a `long`. The first INT named so decides, the base's first, as in libbpf; where there is none it is 8.
 *
 * It is found once for a spec.
 *
 * @throws BtfFormatError `MALFORMED` when the name of an INT before it cannot be read.
 */
export function pointerSize(spec: Spec): PointerSize {
  let size = found.get(spec);
  if (size === undefined) {
    size = sizeOfLong(spec) ?? 8;
    found.set(spec, size);
  }
  return size;
}

function sizeOfLong(spec: Spec): PointerSize | null {
  const ofBase = spec.base === null ? null : sizeOfLong(spec.base);
  if (ofBase !== null) return ofBase;
  for (const id of spec.typeIds()) {
    if (spec.kindOf(id) !== Kind.INT) continue;
    const type = spec.typeById(id);
    if (type.kind !== 'INT' || !LONG.has(type.name)) continue;
    if (type.size === 4 || type.size === 8) return type.size;
  }
  return null;
}
