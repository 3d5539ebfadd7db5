import type { ByteOrder } from '../header.js';

/**
 * ElfLayout has the places of the fields that sections and symbols need, in bytes: `Elf32_Ehdr` and so on of `elf.h`.
 */
export interface ElfLayout {
  /** Bytes of an address, an offset or a size. */
  readonly wordSize: 4 | 8;
  /** Bytes of the ELF header, and the places in it. */
  readonly length: number;
  readonly fileType: number;
  readonly machine: number;
  readonly sectionTable: number;
  readonly sectionEntrySize: number;
  readonly sectionCount: number;
  readonly sectionNames: number;
  /** Places within a section header, and its length. */
  readonly section: {
    readonly length: number;
    readonly name: number;
    readonly type: number;
    readonly flags: number;
    readonly offset: number;
    readonly size: number;
    readonly link: number;
    readonly info: number;
    readonly entrySize: number;
  };
  /** Places within a symbol, and its length. */
  readonly symbol: {
    readonly length: number;
    readonly name: number;
    readonly info: number;
    readonly other: number;
    readonly section: number;
    readonly value: number;
    readonly size: number;
  };
  /** Places within the header of a compressed section, and its length. */
  readonly compression: { readonly length: number; readonly type: number; readonly size: number };
}

export const ELF32: ElfLayout = {
  wordSize: 4,
  length: 52,
  fileType: 16,
  machine: 18,
  sectionTable: 32,
  sectionEntrySize: 46,
  sectionCount: 48,
  sectionNames: 50,
  section: {
    length: 40,
    name: 0,
    type: 4,
    flags: 8,
    offset: 16,
    size: 20,
    link: 24,
    info: 28,
    entrySize: 36,
  },
  symbol: { length: 16, name: 0, info: 12, other: 13, section: 14, value: 4, size: 8 },
  compression: { length: 12, type: 0, size: 4 },
};

export const ELF64: ElfLayout = {
  wordSize: 8,
  length: 64,
  fileType: 16,
  machine: 18,
  sectionTable: 40,
  sectionEntrySize: 58,
  sectionCount: 60,
  sectionNames: 62,
  section: {
    length: 64,
    name: 0,
    type: 4,
    flags: 8,
    offset: 24,
    size: 32,
    link: 40,
    info: 44,
    entrySize: 56,
  },
  symbol: { length: 24, name: 0, info: 4, other: 5, section: 6, value: 8, size: 16 },
  compression: { length: 24, type: 0, size: 8 },
};

/** ElfReader reads numbers from an ELF file. Offsets must lie in the file. */
export class ElfReader {
  readonly #view: DataView;
  readonly #littleEndian: boolean;
  readonly #wordSize: 4 | 8;

  constructor(bytes: Uint8Array, layout: ElfLayout, byteOrder: ByteOrder) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#littleEndian = byteOrder === 'little';
    this.#wordSize = layout.wordSize;
  }

  u8(at: number): number {
    return this.#view.getUint8(at);
  }

  u16(at: number): number {
    return this.#view.getUint16(at, this.#littleEndian);
  }

  u32(at: number): number {
    return this.#view.getUint32(at, this.#littleEndian);
  }

  /** Returns an address, an offset or a size. Above 2^53 it is not exact, but certainly larger than any file. */
  word(at: number): number {
    return this.#wordSize === 4 ? this.u32(at) : Number(this.#view.getBigUint64(at, this.#littleEndian));
  }

  /** Returns the low 32 bits of an address, an offset, a size or flags. */
  lowWord(at: number): number {
    return this.u32(this.#wordSize === 8 && !this.#littleEndian ? at + 4 : at);
  }
}
