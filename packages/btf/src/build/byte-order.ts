import { BtfFormatError } from '../format-error.js';
import { type BtfHeader, type ByteOrder, checkByteOrder, parseHeader } from '../header.js';
import { kindSizes } from '../kind-sizes.js';
import { isKnownKind } from '../kind-words.js';
import { DEFAULT_PARSE_LIMITS } from '../limits.js';
import { rejectUnknown } from '../notes.js';
import type { Spec } from '../spec.js';
import { indexTypes } from '../type-index.js';
import { kindOfInfo, wordsOf } from '../words.js';

/** Bytes of the header that are one byte each. Except for magic and version, the header is made of words. */
const MAGIC_LENGTH = 2;
const WORDS_START = 4;

/** An entry of the layout section: `{u8 info_sz; u8 elem_sz; u16 flags}`. */
const LAYOUT_LENGTH = 4;

/**
 * convertByteOrder returns a copy of a BTF in another byte order. Sections, ids and strings stay where they are. Split
 * BTF is converted without its base, which must be converted too.
 *
 * @throws BtfFormatError `MALFORMED` if the header, the layout section or the extent of a type is invalid.
 * @throws BtfFormatError `UNSUPPORTED` for an unknown version, and for flags, header fields, sections and types of
 * unknown kinds, whose words are not known. A `Builder` leaves them out.
 * @throws BtfFormatError `LIMIT_EXCEEDED` for more types than the default limit.
 * @throws BtfFormatError `INVALID_ARGUMENT` if `order` is not a byte order.
 */
export function convertByteOrder(btf: Uint8Array | Spec, order: ByteOrder): Uint8Array {
  checkByteOrder(order);
  const source = btf instanceof Uint8Array ? btf : btf.bytes;
  const header = parseHeader(source);
  const bytes = new Uint8Array(source);
  if (header.byteOrder === order) return bytes;
  rejectUnknown(header.notes, 'the byte order cannot be converted');
  checkKinds(source, header);
  reverse(bytes, 0, MAGIC_LENGTH);
  reverseEach(bytes, WORDS_START, header.length);
  const { types, layout } = header;
  reverseEach(bytes, types.offset, types.offset + types.length);
  for (let at = layout.offset; at < layout.offset + layout.length; at += LAYOUT_LENGTH) {
    reverse(bytes, at + 2, at + 4);
  }
  return bytes;
}

function checkKinds(bytes: Uint8Array, header: BtfHeader): void {
  const { types, byteOrder } = header;
  const typeBytes = bytes.subarray(types.offset, types.offset + types.length);
  const words = wordsOf(typeBytes, byteOrder);
  const sizes = kindSizes(bytes, header, null);
  const limit = DEFAULT_PARSE_LIMITS.types;
  const offsets = indexTypes({
    bytes: typeBytes,
    order: byteOrder,
    section: types,
    sizes,
    firstTypeId: 1,
    limit,
  });
  for (const offset of offsets) {
    const kind = kindOfInfo(words.i32(offset + 4));
    if (isKnownKind(kind)) continue;
    const message = `type of unknown kind ${kind}: its byte order cannot be converted`;
    throw new BtfFormatError('UNSUPPORTED', message, { offset: types.offset + offset });
  }
}

/** Reverses the bytes of each word. The rest of the header after its last whole word is zero. */
function reverseEach(bytes: Uint8Array, from: number, to: number): void {
  const view = new DataView(bytes.buffer);
  for (let at = from; at + 4 <= to; at += 4) view.setUint32(at, view.getUint32(at, true), false);
}

function reverse(bytes: Uint8Array, from: number, to: number): void {
  bytes.subarray(from, to).reverse();
}
