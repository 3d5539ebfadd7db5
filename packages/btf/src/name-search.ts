import type { StringTable } from './strings.js';
import type { Words } from './words.js';

/** Names up to here are compared anew for each type. */
const SHORT = 64;

/**
 * findByName finds the types with a name by one pass over their name offsets; it needs no index of names.
 *
 * @param offsets where the types start in `words`.
 * @param name the name's bytes, without NUL.
 * @param found is called with the place of each match in `offsets`, in ascending order.
 */
export function findByName(
  words: Words,
  offsets: Uint32Array,
  strings: StringTable,
  name: Uint8Array,
  found: (index: number) => void,
): void {
  const equals =
    name.length <= SHORT ? (at: number) => strings.equals(at, name) : comparedOnce(strings, name);
  for (let index = 0; index < offsets.length; index++) {
    const at = words.u32(offsets[index] ?? 0);
    if (strings.mayEqual(at, name) && equals(at)) found(index);
  }
}

/** Many types may share a few long strings: comparing each string once bounds the work by their length. */
function comparedOnce(strings: StringTable, name: Uint8Array): (at: number) => boolean {
  const compared = new Map<number, boolean>();
  return (at) => {
    const equal = compared.get(at) ?? strings.equals(at, name);
    compared.set(at, equal);
    return equal;
  };
}
