import { endianness } from 'node:os';
import { BtfReadError, Kind, parseHeader, type ByteOrder } from '@btfd/btf';

/** HOST_ORDER is the byte order of this machine. Its kernel loads no BTF of the other one. */
export const HOST_ORDER: ByteOrder = endianness() === 'LE' ? 'little' : 'big';

/** The size of an entry of the layout section: the fixed size of a type, the size of each element, and flags. */
export const LAYOUT_ENTRY_BYTES = 4;

const LAST_KNOWN = Math.max(...Object.values(Kind));

/** KindLayout is the layout section of BTF: the size of the types of each kind. It is empty if there is no section. */
export type KindLayout = Uint8Array;

/**
 * layoutOf returns the layout section of BTF.
 *
 * @throws BtfFormatError if the header is invalid.
 */
export function layoutOf(rawBtf: Uint8Array): KindLayout {
  const { layout } = parseHeader(rawBtf);
  return rawBtf.slice(layout.offset, layout.offset + layout.length);
}

/** hasNewKinds reports whether BTF has a layout section with kinds that this library does not know. */
export function hasNewKinds(rawBtf: Uint8Array): boolean {
  try {
    return layoutOf(rawBtf).length > (LAST_KNOWN + 1) * LAYOUT_ENTRY_BYTES;
  } catch (error) {
    if (error instanceof BtfReadError) return false;
    throw error;
  }
}
