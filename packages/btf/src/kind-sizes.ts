import { BtfFormatError } from './format-error.js';
import type { BtfHeader } from './header.js';
import { isKnownKind, KIND_ROWS } from './kind-words.js';

/** TYPE_LENGTH is the number of bytes that every type begins with: name offset, info, size or type id. */
export const TYPE_LENGTH = 12;

/**
 * KindSizes has the sizes of types in bytes: `fixed[kind] + vlen * element[kind]`. The highest byte of an info word, which
 * is the kind and the kind flag, may stand in place of the kind.
 */
export interface KindSizes {
  /** 0 if the kind is not known. */
  readonly fixed: Uint16Array;
  readonly element: Uint8Array;
  /** Whether it has sizes of kinds that this library does not know. */
  readonly hasUnknown: boolean;
}

/** The kind has 7 bits in the info word. */
const MAX_KINDS = 128;

/** An entry of the layout section: `{u8 info_sz; u8 elem_sz; u16 flags}`. */
const LAYOUT_LENGTH = 4;

const KNOWN: KindSizes = /* @__PURE__ */ knownSizes();

/**
 * kindSizes takes the sizes of known kinds from this library and those of other kinds from the layout section. Split
 * BTF without a layout section shares that of its base, as in libbpf.
 *
 * @throws BtfFormatError `MALFORMED` if the layout section is not made of whole, aligned entries.
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
  let hasUnknown = false;
  const count = Math.min(length / LAYOUT_LENGTH, MAX_KINDS);
  for (let kind = 1; kind < count; kind++) {
    if (isKnownKind(kind)) continue;
    const at = offset + kind * LAYOUT_LENGTH;
    const once = bytes[at] ?? 0;
    const each = bytes[at + 1] ?? 0;
    // Types are aligned to 4 bytes. Sizes that would break the alignment leave the kind unknown, as in libbpf.
    if (once % 4 !== 0 || each % 4 !== 0) continue;
    setBoth(fixed, kind, TYPE_LENGTH + once);
    setBoth(element, kind, each);
    hasUnknown = true;
  }
  return { fixed, element, hasUnknown };
}

/**
 * kindLayout returns a layout section: an entry for each kind that this library knows, void first. The flags, which have
 * no meaning yet, are zero, so it is the same in both byte orders.
 */
export function kindLayout(): Uint8Array {
  const layout = new Uint8Array(KIND_ROWS.length * LAYOUT_LENGTH);
  for (const [kind, row] of KIND_ROWS.entries()) {
    if (row !== undefined) layout.set([4 * row.once, 4 * row.each], kind * LAYOUT_LENGTH);
  }
  return layout;
}

function knownSizes(): KindSizes {
  const fixed = new Uint16Array(2 * MAX_KINDS);
  const element = new Uint8Array(2 * MAX_KINDS);
  for (const [kind, row] of KIND_ROWS.entries()) {
    if (row === undefined) continue;
    setBoth(fixed, kind, TYPE_LENGTH + 4 * row.once);
    setBoth(element, kind, 4 * row.each);
  }
  return { fixed, element, hasUnknown: false };
}

/** Sets the value of a kind, with and without the kind flag. */
function setBoth(values: Uint8Array | Uint16Array, kind: number, value: number): void {
  values[kind] = value;
  values[kind + MAX_KINDS] = value;
}
