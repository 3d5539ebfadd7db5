import type { ByteOrder } from '../header.js';

/** The widest integer that is a number: wider ones are bigints, however small. */
const NUMBER_BITS = 32;

/**
 * integerAt returns an integer from bytes: a number if it has at most 32 bits, otherwise a bigint. Bits are counted as BTF
 * counts them: from the lowest bit of the first byte if the order is little, from the highest bit if it is big.
 *
 * The caller checks that the bytes are there.
 */
export function integerAt(
  bytes: Uint8Array,
  order: ByteOrder,
  {
    bitOffset,
    bits,
    signed,
  }: { readonly bitOffset: number; readonly bits: number; readonly signed: boolean },
): number | bigint {
  const first = Math.floor(bitOffset / 8);
  const end = Math.ceil((bitOffset + bits) / 8);
  const over = order === 'little' ? bitOffset - first * 8 : end * 8 - bitOffset - bits;
  if (bits <= NUMBER_BITS) {
    // At most five bytes, which a number has exactly.
    let whole = 0;
    for (let i = first; i < end; i++) {
      whole = whole * 256 + (bytes[order === 'little' ? first + end - 1 - i : i] ?? 0);
    }
    const value = Math.floor(whole / 2 ** over) % 2 ** bits;
    return signed && bits > 0 && value >= 2 ** (bits - 1) ? value - 2 ** bits : value;
  }
  let whole = 0n;
  for (let i = first; i < end; i++) {
    whole = (whole << 8n) | BigInt(bytes[order === 'little' ? first + end - 1 - i : i] ?? 0);
  }
  const value = whole >> BigInt(over);
  return signed ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value);
}

/** isZeroAt reports whether bits are all zero. */
export function isZeroAt(bytes: Uint8Array, order: ByteOrder, bitOffset: number, bits: number): boolean {
  const value = integerAt(bytes, order, { bitOffset, bits, signed: false });
  return value === 0 || value === 0n;
}

/** floatAt returns a floating point number of 2, 4 or 8 bytes; null for other sizes, whose format BTF does not say. */
export function floatAt(bytes: Uint8Array, order: ByteOrder, offset: number, size: number): number | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = order === 'little';
  if (size === 8) return view.getFloat64(offset, little);
  if (size === 4) return view.getFloat32(offset, little);
  return size === 2 ? halfOf(view.getUint16(offset, little)) : null;
}

/** isPrintable reports whether a byte is a printable character in C's locale. */
export function isPrintable(byte: number): boolean {
  return byte >= 0x20 && byte <= 0x7e;
}

/** Returns the number that the 16 bits of IEEE 754 stand for. */
function halfOf(word: number): number {
  const sign = word >> 15 === 0 ? 1 : -1;
  const exponent = (word >> 10) & 0x1f;
  const fraction = word & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
}
