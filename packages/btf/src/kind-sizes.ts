import { BtfFormatError } from './format-error.js';
import type { BtfHeader } from './header.js';
import { Kind } from './types.js';

/** TYPE_LENGTH is the bytes that every type begins with: name offset, info, size or type id. */
export const TYPE_LENGTH = 12;

/** KindSizes says how many bytes a type takes: `fixed[kind] + vlen * element[kind]`. */
export interface KindSizes {
  /** 0 where the kind is not known. */
  readonly fixed: Uint16Array;
  readonly element: Uint8Array;
}

/** What follows the first 12 bytes of a type: bytes once, and bytes for each of vlen elements. */
const FOLLOWING: readonly (readonly [kind: number, once: number, each: number])[] = [
  [Kind.INT, 4, 0],
  [Kind.PTR, 0, 0],
  [Kind.ARRAY, 12, 0],
  [Kind.STRUCT, 0, 12],
  [Kind.UNION, 0, 12],
  [Kind.ENUM, 0, 8],
  [Kind.FWD, 0, 0],
  [Kind.TYPEDEF, 0, 0],
  [Kind.VOLATILE, 0, 0],
  [Kind.CONST, 0, 0],
  [Kind.RESTRICT, 0, 0],
  [Kind.FUNC, 0, 0],
  [Kind.FUNC_PROTO, 0, 8],
  [Kind.VAR, 4, 0],
  [Kind.DATASEC, 0, 12],
  [Kind.FLOAT, 0, 0],
  [Kind.DECL_TAG, 4, 0],
  [Kind.TYPE_TAG, 0, 0],
  [Kind.ENUM64, 0, 12],
];

/** The kind has 7 bits in the info word. */
const KINDS = 128;

/** An entry of the layout section: `{u8 info_sz; u8 elem_sz; u16 flags}`. */
const LAYOUT_LENGTH = 4;

const KNOWN: KindSizes = knownSizes();

/**
 * kindSizes takes the sizes of known kinds from this library and those of others from the layout section.
 * A split BTF without a layout section shares that of its base, as in libbpf.
 *
 * @throws BtfFormatError `MALFORMED` when the layout section is not made of whole, aligned entries.
 */
export function kindSizes(bytes: Uint8Array, header: BtfHeader, base: KindSizes | null): KindSizes {
  const { offset, length } = header.layout;
  if (length === 0) return base ?? KNOWN;
  if ((offset - header.length) % 4 !== 0 || length % LAYOUT_LENGTH !== 0) {
    throw new BtfFormatError(
      'MALFORMED',
      `layout section of ${length} bytes is not made of aligned entries`,
      {
        offset,
      },
    );
  }
  const fixed = KNOWN.fixed.slice();
  const element = KNOWN.element.slice();
  const count = Math.min(length / LAYOUT_LENGTH, KINDS);
  for (let kind = Kind.ENUM64 + 1; kind < count; kind++) {
    const at = offset + kind * LAYOUT_LENGTH;
    const once = bytes[at] ?? 0;
    const each = bytes[at + 1] ?? 0;
    // Types are aligned to 4 bytes: sizes that would break that leave the kind unknown, as in libbpf.
    if (once % 4 !== 0 || each % 4 !== 0) continue;
    fixed[kind] = TYPE_LENGTH + once;
    element[kind] = each;
  }
  return { fixed, element };
}

function knownSizes(): KindSizes {
  const fixed = new Uint16Array(KINDS);
  const element = new Uint8Array(KINDS);
  for (const [kind, once, each] of FOLLOWING) {
    fixed[kind] = TYPE_LENGTH + once;
    element[kind] = each;
  }
  return { fixed, element };
}
