import { type Spec, typesOf } from '../spec.js';

/**
 * fitsBase reports whether split BTF may continue the base that it was parsed with. On another base, most names of its
 * own types begin in the middle of other strings or after the last one. BTF without a base fits.
 *
 * False is certain, except for a producer that lets most names share the end of longer ones; none is known. True is not
 * certain.
 */
export function fitsBase(spec: Spec): boolean {
  if (spec.base === null) return true;
  const { source, offsets } = typesOf(spec);
  const { words, strings } = source;
  let named = 0;
  let starts = 0;
  for (const at of offsets) {
    const name = words.u32(at);
    if (name === 0) continue;
    named += 1;
    if (name < strings.end && strings.byteAt(name - 1) === 0) starts += 1;
  }
  return starts * 2 >= named;
}
