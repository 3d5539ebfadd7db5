import { BtfFormatError } from './format-error.js';
import { type BtfNote, flagsNote, gapNote, surplusNote } from './notes.js';

/** ByteOrder is the byte order of a BTF. */
export type ByteOrder = 'little' | 'big';

/**
 * checkByteOrder rejects a value that is not a byte order, which callers in plain JavaScript may pass.
 *
 * @throws BtfFormatError `INVALID_ARGUMENT` if `order` is neither `'little'` nor `'big'`.
 */
export function checkByteOrder(order: ByteOrder): void {
  if (order === 'little' || order === 'big') return;
  throw new BtfFormatError('INVALID_ARGUMENT', "invalid byte order: use 'little' or 'big'");
}

/** BtfSection is a range of the BTF's bytes. */
export interface BtfSection {
  /** Bytes from the start of the BTF. (The format itself counts from the end of the header.) */
  readonly offset: number;
  /** Length in bytes. */
  readonly length: number;
}

/** BtfHeader is the decoded header of a BTF. */
export interface BtfHeader {
  readonly byteOrder: ByteOrder;
  /** Length of the header in bytes: 24, or 32 since Linux 7.1. A later kernel may write a longer one. */
  readonly length: number;
  readonly types: BtfSection;
  readonly strings: BtfSection;
  /** Sizes of the kinds that the producer knew (Linux 7.1). Its length is 0 if there are none. */
  readonly layout: BtfSection;
  /** The unknown flags, fields of the header and bytes outside of the sections. Types are not looked at. */
  readonly notes: readonly BtfNote[];
}

const MAGIC = 0xeb9f;
const VERSION = 1;

/** The header up to Linux 7.0. `layout_off` and `layout_len` follow it since Linux 7.1. */
export const SHORT_HEADER_LENGTH = 24;
export const LONG_HEADER_LENGTH = 32;

/**
 * parseHeader reads the header of a BTF and checks it against the length of the BTF. It needs no base.
 *
 * It accepts what a later kernel may add, as libbpf does: flags, a longer header, and other sections. They are
 * {@link BtfHeader.notes}. Kernels that do not know them refuse such BTF, see `validate`.
 *
 * Sections may be in any order, but must not overlap. A header alone is the empty BTF of a module that has no types of
 * its own.
 *
 * @param bytes the whole BTF.
 * @throws BtfFormatError `MALFORMED` if the header is invalid or does not match the length of `bytes`.
 * @throws BtfFormatError `UNSUPPORTED` for an unknown version, in which the rest may have another meaning.
 */
export function parseHeader(bytes: Uint8Array): BtfHeader {
  if (bytes.length < SHORT_HEADER_LENGTH) {
    throw malformed(`BTF of ${bytes.length} bytes is shorter than its header of 24`, 0);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const littleEndian = readByteOrder(view) === 'little';
  const version = view.getUint8(2);
  if (version !== VERSION) {
    throw new BtfFormatError('UNSUPPORTED', `unknown BTF version ${version}`, { offset: 2 });
  }
  const length = view.getUint32(4, littleEndian);
  if (length < SHORT_HEADER_LENGTH) throw malformed(`header length ${length} is less than 24`, 4);
  if (length > bytes.length) {
    throw malformed(`header length ${length} is more than the BTF's ${bytes.length} bytes`, 4);
  }
  // Kernels with a layout section ignore its fields if the header does not have them whole.
  const hasLayout = length >= LONG_HEADER_LENGTH;
  const section = (at: number): BtfSection => ({
    offset: length + view.getUint32(at, littleEndian),
    length: view.getUint32(at + 4, littleEndian),
  });
  const types = section(8);
  const strings = section(16);
  const layout = hasLayout ? section(24) : { offset: length, length: 0 };
  if ((types.offset - length) % 4 !== 0) {
    throw malformed(`type section at ${types.offset - length} is not aligned to 4 bytes`, 8);
  }
  // An absent layout section has no place to check. The kernel ignores its offset too.
  const sections = layout.length === 0 ? [types, strings] : [types, strings, layout];
  const notes = [
    ...flagsNote(view.getUint8(3)),
    ...surplusNote(bytes, LONG_HEADER_LENGTH, length),
    ...gapsBetween(sections, length, bytes.length),
  ];
  return { byteOrder: littleEndian ? 'little' : 'big', length, types, strings, layout, notes };
}

function readByteOrder(view: DataView): ByteOrder {
  if (view.getUint16(0, true) === MAGIC) return 'little';
  if (view.getUint16(0, false) === MAGIC) return 'big';
  throw malformed('BTF does not begin with the magic number 0xeb9f', 0);
}

/** Returns the bytes between the sections and after them. */
function gapsBetween(sections: BtfSection[], start: number, total: number): BtfNote[] {
  const notes: BtfNote[] = [];
  let end = start;
  for (const { offset, length } of sections.toSorted((a, b) => a.offset - b.offset || a.length - b.length)) {
    if (offset > total) throw malformed('section starts after the end of the BTF', offset);
    if (offset < end) throw malformed('sections overlap', offset);
    if (length > total - offset) throw malformed('section ends after the end of the BTF', offset);
    notes.push(...gapNote(end, offset));
    end = offset + length;
  }
  return [...notes, ...gapNote(end, total)];
}

function malformed(message: string, offset: number): BtfFormatError {
  return new BtfFormatError('MALFORMED', message, { offset });
}

/**
 * isSplit reports whether BTF is certainly split, so that it cannot be read without its base.
 *
 * BTF that stands alone must begin its string section with the empty string, a NUL. Split BTF has the empty string in
 * its base; when the kernel's build or libbpf wrote it, its string section begins with a name, or it has types but no
 * strings. False is not proof of the opposite: a producer may repeat the empty string in split BTF (cilium/ebpf does),
 * and a module's BTF without types and strings needs no base.
 *
 * @throws BtfFormatError `MALFORMED` if the header is invalid, as {@link parseHeader} does.
 * @throws BtfFormatError `UNSUPPORTED` for an unknown version.
 */
export function isSplit(bytes: Uint8Array): boolean {
  return needsBase(bytes, parseHeader(bytes));
}

/** needsBase is {@link isSplit} for a header that is already parsed. */
export function needsBase(bytes: Uint8Array, { types, strings }: BtfHeader): boolean {
  return strings.length === 0 ? types.length > 0 : bytes[strings.offset] !== 0;
}
