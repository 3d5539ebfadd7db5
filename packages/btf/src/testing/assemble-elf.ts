import type { ByteOrder } from '../header.js';

/** SectionWords describe a section for {@link assembleElf}. */
export interface SectionWords {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Default: 1, SHT_PROGBITS. */
  readonly type?: number;
  /** Default: 0. */
  readonly flags?: number | bigint;
  /** Index of a related section: that of the names for a symbol table. Default: 0. */
  readonly link?: number;
  /** Index of another related section: that of the instructions for relocations. Default: 0. */
  readonly info?: number;
  /** Bytes of an entry of a table. Default: 0. */
  readonly entrySize?: number;
  /** Offset and size to put into the header, in place of the real ones. */
  readonly offset?: number;
  readonly size?: number;
}

/** ElfChoices are the options of {@link assembleElf}. */
export interface ElfChoices {
  /** Whether section 0 has the counts and indices, as with more than 65,279 sections. */
  readonly extended?: boolean;
}

/** assembleElf writes an ELF file with these sections, after an empty section 0 and one of names. */
export function assembleElf(
  bits: 32 | 64,
  order: ByteOrder,
  sections: readonly SectionWords[],
  { extended = false }: ElfChoices = {},
): Uint8Array {
  const wide = bits === 64;
  const little = order === 'little';
  const names = ['', '.shstrtab', ...sections.map(({ name }) => name)];
  const nameBytes = new TextEncoder().encode(names.map((name) => `${name}\0`).join(''));
  const contents = [{ name: '.shstrtab', bytes: nameBytes, type: 3 }, ...sections];
  const headerLength = wide ? 64 : 52;
  const entryLength = wide ? 64 : 40;
  const total = contents.reduce((sum, { bytes }) => sum + bytes.length, headerLength);
  const table = (total + 7) & ~7;
  const file = new Uint8Array(table + (contents.length + 1) * entryLength);
  const view = new DataView(file.buffer);
  const word = (at: number, value: number | bigint) =>
    wide ? view.setBigUint64(at, BigInt(value), little) : view.setUint32(at, Number(value), little);

  file.set([0x7f, 0x45, 0x4c, 0x46, wide ? 2 : 1, little ? 1 : 2, 1]);
  view.setUint16(16, 1, little);
  view.setUint16(18, 247, little);
  view.setUint32(20, 1, little);
  word(wide ? 40 : 32, table);
  const tail = wide ? 52 : 40;
  const count = contents.length + 1;
  const words = [headerLength, 0, 0, entryLength, extended ? 0 : count, extended ? 0xffff : 1];
  for (const [i, value] of words.entries()) view.setUint16(tail + i * 2, value, little);
  if (extended) {
    word(table + (wide ? 32 : 20), count);
    view.setUint32(table + (wide ? 40 : 24), 1, little);
  }

  let at = headerLength;
  let nameAt = 1;
  for (const [i, section] of contents.entries()) {
    const {
      name,
      bytes,
      type = 1,
      flags = 0,
      link = 0,
      info = 0,
      entrySize = 0,
      offset = at,
      size = bytes.length,
    }: SectionWords = section;
    file.set(bytes, at);
    const header = table + (i + 1) * entryLength;
    view.setUint32(header, nameAt, little);
    view.setUint32(header + 4, type, little);
    word(header + 8, flags);
    word(header + (wide ? 24 : 16), offset);
    word(header + (wide ? 32 : 20), size);
    view.setUint32(header + (wide ? 40 : 24), link, little);
    view.setUint32(header + (wide ? 44 : 28), info, little);
    word(header + (wide ? 48 : 32), 1);
    word(header + (wide ? 56 : 36), entrySize);
    at += bytes.length;
    nameAt += name.length + 1;
  }
  return file;
}

/** SymbolWords describe a symbol for {@link symbolTable}. */
export interface SymbolWords {
  /** Offset of its name in the section of names. */
  readonly name: number;
  readonly section: number;
  readonly value: number;
  /** Binding and type. Default: those of a global variable. */
  readonly info?: number;
  /** Visibility. Default: 0. */
  readonly other?: number;
  /** Size of the function or variable. Default: 0. */
  readonly size?: number;
}

/** symbolTable writes the entries of a section SHT_SYMTAB, after the empty one that every table begins with. */
export function symbolTable(bits: 32 | 64, order: ByteOrder, symbols: readonly SymbolWords[]): Uint8Array {
  const little = order === 'little';
  const length = bits === 64 ? 24 : 16;
  const table = new Uint8Array((symbols.length + 1) * length);
  const view = new DataView(table.buffer);
  for (const [i, { name, section, value, info = 0x11, other = 0, size = 0 }] of symbols.entries()) {
    const at = (i + 1) * length;
    view.setUint32(at, name, little);
    table.set([info, other], at + (bits === 64 ? 4 : 12));
    view.setUint16(at + (bits === 64 ? 6 : 14), section, little);
    if (bits === 64) {
      view.setBigUint64(at + 8, BigInt(value), little);
      view.setBigUint64(at + 16, BigInt(size), little);
    } else {
      view.setUint32(at + 4, value, little);
      view.setUint32(at + 8, size, little);
    }
  }
  return table;
}

/** compressionHeader returns the header at the start of a section with SHF_COMPRESSED; format 1 is zlib, 2 is zstd. */
export function compressionHeader(bits: 32 | 64, order: ByteOrder, format: number, size: number): Uint8Array {
  const little = order === 'little';
  const header = new Uint8Array(bits === 64 ? 24 : 12);
  const view = new DataView(header.buffer);
  view.setUint32(0, format, little);
  if (bits === 64) view.setBigUint64(8, BigInt(size), little);
  else view.setUint32(4, size, little);
  // Alignment: a power of two.
  header[little ? header.length - (bits === 64 ? 8 : 4) : header.length - 1] = 1;
  return header;
}
