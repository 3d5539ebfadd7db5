import { parseHeader } from './header.js';
import { kindSizes } from './kind-sizes.js';
import { DEFAULT_PARSE_LIMITS } from './limits.js';
import { indexTypes } from './type-index.js';
import { wordsOf } from './words.js';

/**
 * countTypes counts the types of a BTF: without void, and for split BTF without those of its base, which
 * is not needed. Types are not decoded; the count costs one pass over the type section.
 *
 * @throws BtfFormatError where `Spec.parse` does for header, layout and extent of types.
 */
export function countTypes(bytes: Uint8Array): number {
  const header = parseHeader(bytes);
  const section = header.types;
  const data = bytes.subarray(section.offset, section.offset + section.length);
  return indexTypes({
    words: wordsOf(data, header.byteOrder),
    section,
    sizes: kindSizes(bytes, header, null),
    firstTypeId: 1,
    limit: DEFAULT_PARSE_LIMITS.types,
  }).length;
}
