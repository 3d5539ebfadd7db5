import { BtfFormatError } from '../format-error.js';
import type { ByteOrder } from '../header.js';
import { ELF32, ELF64, type ElfLayout, ElfReader } from './elf-layout.js';

/** ElfSection is a section of an ELF file, found by its name. */
export interface ElfSection {
  readonly name: string;
  /** Bytes from the start of the file. */
  readonly offset: number;
  /** Size in the file in bytes: smaller than that of the section if it is compressed. */
  readonly size: number;
  /** Whether the bytes begin with a compression header (`SHF_COMPRESSED`). */
  readonly compressed: boolean;
}

/** ElfSymbol is an entry of the symbol table. */
export interface ElfSymbol {
  /** The name of the symbol; null if it is longer than the limit given to {@link ElfFile.symbols}. */
  readonly name: string | null;
  /** `STT_OBJECT` (1), `STT_FUNC` (2), … of `elf.h`. */
  readonly type: number;
  /** `STB_LOCAL` (0), `STB_GLOBAL` (1), `STB_WEAK` (2), … of `elf.h`. */
  readonly binding: number;
  /** `STV_DEFAULT` (0), `STV_INTERNAL` (1), `STV_HIDDEN` (2), `STV_PROTECTED` (3) of `elf.h`. */
  readonly visibility: number;
  /** Index of the section that the symbol is in; 0 if it is not defined in this file. */
  readonly section: number;
  /** In an object file, bytes from the start of that section. */
  readonly value: number;
  /** Size in bytes of the function or variable; 0 if it is not known. */
  readonly size: number;
}

/** ElfSectionHeader is an entry of the table of sections. Nothing in it was compared with the file. */
export interface ElfSectionHeader {
  /** The index that symbols and relocations use. */
  readonly index: number;
  /** The name; null if it is longer than the limit given to {@link ElfFile.sectionHeaders}, or has no end. */
  readonly name: string | null;
  /** `SHT_PROGBITS` (1), `SHT_SYMTAB` (2), … of `elf.h`. */
  readonly type: number;
  /** `SHF_WRITE` (1), `SHF_EXECINSTR` (4), … of `elf.h`. Only the low 32 bits, which have all flags that are defined. */
  readonly flags: number;
  /** Bytes from the start of the file. */
  readonly offset: number;
  /** Size in bytes. A section of type `SHT_NOBITS` (8) has none in the file. */
  readonly size: number;
  /** Index of a related section: that of the symbols for relocations. */
  readonly link: number;
  /** Index of another related section: that of the instructions for relocations. */
  readonly info: number;
  /** Bytes from one entry to the next in a section that is a table. */
  readonly entrySize: number;
  /** Whether the bytes begin with a compression header (`SHF_COMPRESSED`). */
  readonly compressed: boolean;
}

/** ElfRelocation is an entry of a section `SHT_REL`: an instruction or a word that refers to a symbol. */
export interface ElfRelocation {
  /** Bytes from the start of the section that it changes. */
  readonly offset: number;
  /** Index in the symbol table. */
  readonly symbol: number;
  /** `R_BPF_64_64` (1), `R_BPF_64_32` (10), … for an object of BPF programs. */
  readonly type: number;
}

/** The place of a section's bytes in the file, and the first byte after them. */
interface Extent {
  readonly offset: number;
  readonly end: number;
}

const MAGIC = [0x7f, 0x45, 0x4c, 0x46];
const VERSION = 1;
const SHT_PROGBITS = 1;
const SHT_SYMTAB = 2;
const SHT_REL = 9;
/** Bytes of an entry of SHT_REL in a file of 64 bits. */
const REL_LENGTH = 16;
const SHF_COMPRESSED = 0x800;

/** Replaces a section index that is too large for its field. Section 0 has the index then. */
const SHN_XINDEX = 0xffff;

/** isElfFile reports whether bytes begin as an ELF file does. */
export function isElfFile(bytes: Uint8Array): boolean {
  return MAGIC.every((byte, i) => bytes[i] === byte);
}

/**
 * ElfFile finds sections and symbols of an ELF file: 32 and 64 bits, both byte orders, any number of sections. It reads
 * nothing else of ELF, so it also reads files that loaders would reject.
 *
 * It aliases the bytes that it was parsed from.
 */
export class ElfFile {
  readonly bytes: Uint8Array;
  /** Bytes of a pointer on the machine that the file is for. */
  readonly pointerSize: 4 | 8;
  readonly byteOrder: ByteOrder;
  /** `ET_REL` (1) for an object file, … of `elf.h`. */
  readonly fileType: number;
  /** `EM_BPF` (247), … of `elf.h`. */
  readonly machine: number;
  readonly sectionCount: number;
  readonly #reader: ElfReader;
  readonly #layout: ElfLayout;
  /** The place of the section headers, and the bytes from one to the next. */
  readonly #table: number;
  readonly #entrySize: number;
  readonly #names: Extent;

  /**
   * parse reads the ELF header and finds the section headers and names. Its time does not depend on the number of
   * sections.
   *
   * @throws BtfFormatError `MALFORMED` if a header is invalid or lies outside the file; `offset` is its place in the
   * file.
   * @throws BtfFormatError `UNSUPPORTED` for an unknown ELF version.
   */
  static parse(bytes: Uint8Array): ElfFile {
    return new ElfFile(bytes);
  }

  private constructor(bytes: Uint8Array) {
    const { layout, byteOrder } = readIdent(bytes);
    const reader = new ElfReader(bytes, layout, byteOrder);
    const table = reader.word(layout.sectionTable);
    const entrySize = reader.u16(layout.sectionEntrySize);
    const fewSections = reader.u16(layout.sectionCount);
    this.bytes = bytes;
    this.pointerSize = layout.wordSize;
    this.byteOrder = byteOrder;
    this.fileType = reader.u16(layout.fileType);
    this.machine = reader.u16(layout.machine);
    this.#reader = reader;
    this.#layout = layout;
    this.#table = table;
    this.#entrySize = entrySize;
    if (table === 0) {
      this.sectionCount = 0;
      this.#names = { offset: 0, end: 0 };
      return;
    }
    if (entrySize < layout.section.length) {
      const message = `section headers of ${entrySize} bytes are shorter than ${layout.section.length} bytes`;
      throw malformed(message, layout.sectionEntrySize);
    }
    this.#checkTable(1);
    this.sectionCount = fewSections === 0 ? reader.word(table + layout.section.size) : fewSections;
    this.#checkTable(this.sectionCount);
    this.#names = this.#findNames();
  }

  /** The place of the table of section headers, in bytes from the start of the file; 0 if there is none. */
  get tableOffset(): number {
    return this.#table;
  }

  /** The first byte after the table of section headers. */
  get tableEnd(): number {
    return this.#table + this.sectionCount * this.#entrySize;
  }

  /**
   * section finds the section with a name.
   *
   * @param name compared as UTF-8.
   * @returns null if there is none.
   * @throws BtfFormatError `MALFORMED` if there are several, if it is not of type `SHT_PROGBITS`, or if it ends after
   * the end of the file.
   */
  section(name: string): ElfSection | null {
    const wanted = new TextEncoder().encode(`${name}\0`);
    let found: ElfSection | null = null;
    for (let index = 1; index < this.sectionCount; index++) {
      const header = this.#header(index);
      if (!this.#isNamed(header, wanted)) continue;
      if (found !== null) throw malformed(`ELF file has several sections ${name}`, header);
      found = this.#sectionAt(header, name);
    }
    return found;
  }

  /**
   * sectionIndices returns the indices of sections by name, whatever their types. A name stands for the first section
   * that has it.
   *
   * @param names the names to look for.
   * @param longestName bytes of the longest name to decode.
   */
  sectionIndices(names: ReadonlySet<string>, longestName: number): ReadonlyMap<string, number> {
    const indices = new Map<string, number>();
    for (let index = 1; index < this.sectionCount; index++) {
      const name = this.#text(
        this.#names,
        this.#reader.u32(this.#header(index) + this.#layout.section.name),
        longestName,
      );
      if (name !== null && names.has(name) && !indices.has(name)) indices.set(name, index);
    }
    return indices;
  }

  /** sectionSize returns the size in the header of a section. A section such as `.bss` has no bytes in the file. */
  sectionSize(index: number): number {
    return this.#reader.word(this.#header(index) + this.#layout.section.size);
  }

  /**
   * sectionHeaders returns the headers of all sections but the first, which is empty, in the order of the file.
   *
   * @param longestName bytes of the longest name to decode.
   */
  sectionHeaders(longestName: number): ElfSectionHeader[] {
    const { section } = this.#layout;
    const reader = this.#reader;
    const headers: ElfSectionHeader[] = [];
    for (let index = 1; index < this.sectionCount; index++) {
      const at = this.#header(index);
      const flags = reader.lowWord(at + section.flags);
      headers.push({
        index,
        name: this.#text(this.#names, reader.u32(at + section.name), longestName),
        type: reader.u32(at + section.type),
        flags,
        compressed: (flags & SHF_COMPRESSED) !== 0,
        offset: reader.word(at + section.offset),
        size: reader.word(at + section.size),
        link: reader.u32(at + section.link),
        info: reader.u32(at + section.info),
        entrySize: reader.word(at + section.entrySize),
      });
    }
    return headers;
  }

  /**
   * sectionBytes returns the bytes of a section as they are in the file, which they alias.
   *
   * @throws BtfFormatError `MALFORMED` if the section ends after the end of the file.
   */
  sectionBytes({ index, name, offset, size }: ElfSectionHeader): Uint8Array {
    this.#checkWithin(offset, size, this.#header(index), `section ${name ?? index}`);
    return this.bytes.subarray(offset, offset + size);
  }

  /**
   * relocations returns the entries of a section `SHT_REL` in a file of 64 bits; none for a section of another type.
   *
   * @throws BtfFormatError `MALFORMED` if the section ends after the end of the file, or has entries of another size.
   */
  relocations(section: ElfSectionHeader): ElfRelocation[] {
    const { index, name, type, offset, entrySize } = section;
    if (type !== SHT_REL || this.pointerSize !== 8) return [];
    const size = this.sectionBytes(section).length;
    if (entrySize !== REL_LENGTH) {
      const message = `section ${name ?? index} has relocations of ${entrySize} bytes, not ${REL_LENGTH}`;
      throw malformed(message, this.#header(index));
    }
    const reader = this.#reader;
    // The symbol is in the upper half of a word of 64 bits.
    const [symbol, kind] = this.byteOrder === 'little' ? ([12, 8] as const) : ([8, 12] as const);
    const relocations: ElfRelocation[] = [];
    for (let at = offset; at + REL_LENGTH <= offset + size; at += REL_LENGTH) {
      relocations.push({
        offset: reader.word(at),
        symbol: reader.u32(at + symbol),
        type: reader.u32(at + kind),
      });
    }
    return relocations;
  }

  /**
   * symbols iterates over the symbols in the order of the symbol table.
   *
   * @param longestName bytes of the longest name to decode.
   * @throws BtfFormatError `MALFORMED` if a symbol table or its names end after the end of the file, or if symbol tables
   * overlap.
   */
  *symbols(longestName: number): Generator<ElfSymbol, void, undefined> {
    const { symbol, section } = this.#layout;
    const reader = this.#reader;
    let room = this.bytes.length;
    for (let index = 1; index < this.sectionCount; index++) {
      const header = this.#header(index);
      if (reader.u32(header + section.type) !== SHT_SYMTAB) continue;
      const table = this.#extent(header, 'symbol table');
      // Otherwise a small file could have any number of symbols.
      room -= table.end - table.offset;
      if (room < 0) throw malformed('symbol tables overlap', header);
      const names = this.#symbolNames(header);
      for (let at = table.offset; at + symbol.length <= table.end; at += symbol.length) {
        const info = reader.u8(at + symbol.info);
        yield {
          name: this.#text(names, reader.u32(at + symbol.name), longestName),
          type: info & 0xf,
          binding: info >>> 4,
          visibility: reader.u8(at + symbol.other) & 3,
          section: reader.u16(at + symbol.section),
          value: reader.word(at + symbol.value),
          size: reader.word(at + symbol.size),
        };
      }
    }
  }

  #symbolNames(table: number): Extent {
    const link = this.#reader.u32(table + this.#layout.section.link);
    if (link < this.sectionCount) return this.#extent(this.#header(link), 'section of symbol names');
    throw malformed(`symbol names are in section ${link} of ${this.sectionCount}`, table);
  }

  /** The string at an offset of a section of strings; null if it is longer than `longest` bytes or has no end. */
  #text({ offset, end }: Extent, at: number, longest: number): string | null {
    const start = offset + at;
    const bytes = this.bytes.subarray(start, Math.min(end, start + longest + 1));
    const length = bytes.indexOf(0);
    return length < 0 ? null : new TextDecoder().decode(bytes.subarray(0, length));
  }

  #header(index: number): number {
    return this.#table + index * this.#entrySize;
  }

  #isNamed(header: number, wanted: Uint8Array): boolean {
    const { offset, end } = this.#names;
    const from = offset + this.#reader.u32(header + this.#layout.section.name);
    if (from + wanted.length > end) return false;
    return wanted.every((byte, i) => this.bytes[from + i] === byte);
  }

  #sectionAt(header: number, name: string): ElfSection {
    const reader = this.#reader;
    const { section } = this.#layout;
    const type = reader.u32(header + section.type);
    if (type !== SHT_PROGBITS) throw malformed(`section ${name} has type ${type}, not PROGBITS`, header);
    const offset = reader.word(header + section.offset);
    const size = reader.word(header + section.size);
    this.#checkWithin(offset, size, header, `section ${name}`);
    const compressed = (reader.lowWord(header + section.flags) & SHF_COMPRESSED) !== 0;
    return { name, offset, size, compressed };
  }

  #checkTable(count: number): void {
    const place = this.#layout.sectionTable;
    this.#checkWithin(this.#table, count * this.#entrySize, place, `table of ${count} section headers`);
  }

  #findNames(): Extent {
    const reader = this.#reader;
    const { sectionNames, section } = this.#layout;
    const near = reader.u16(sectionNames);
    const index = near === SHN_XINDEX ? reader.u32(this.#table + section.link) : near;
    if (index >= this.sectionCount) {
      throw malformed(`section names are in section ${index} of ${this.sectionCount}`, sectionNames);
    }
    return this.#extent(this.#header(index), 'section of section names');
  }

  #extent(header: number, what: string): Extent {
    const { section } = this.#layout;
    const offset = this.#reader.word(header + section.offset);
    const size = this.#reader.word(header + section.size);
    this.#checkWithin(offset, size, header, what);
    return { offset, end: offset + size };
  }

  #checkWithin(offset: number, size: number, place: number, what: string): void {
    if (size > this.bytes.length - offset) {
      throw malformed(`${what} ends after the end of the ELF file`, place);
    }
  }
}

function readIdent(bytes: Uint8Array): { layout: ElfLayout; byteOrder: ByteOrder } {
  if (!isElfFile(bytes)) throw malformed('not an ELF file', 0);
  const layout = { 1: ELF32, 2: ELF64 }[bytes[4] ?? 0];
  if (layout === undefined) throw malformed(`unknown ELF class ${bytes[4]}`, 4);
  const littleEndian = { 1: true, 2: false }[bytes[5] ?? 0];
  if (littleEndian === undefined) throw malformed(`unknown ELF byte order ${bytes[5]}`, 5);
  if (bytes[6] !== VERSION) {
    throw new BtfFormatError('UNSUPPORTED', `unknown ELF version ${bytes[6]}`, { offset: 6 });
  }
  if (bytes.length < layout.length) {
    throw malformed(`ELF file of ${bytes.length} bytes is shorter than its header of ${layout.length}`, 0);
  }
  return { layout, byteOrder: littleEndian ? 'little' : 'big' };
}

function malformed(message: string, offset: number): BtfFormatError {
  return new BtfFormatError('MALFORMED', message, { offset });
}
