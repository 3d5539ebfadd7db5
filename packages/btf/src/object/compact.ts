import type { ElfFile, ElfSectionHeader } from '../elf/elf-file.js';
import { ELF64 } from '../elf/elf-layout.js';
import { LONGEST_NAME, parseBpfElf } from './bpf-object.js';

const SHT_NOBITS = 8;

/** The sections that no loader reads: debug information, and relocations of what is in place already. */
const UNUSED =
  /^[.](?:rela?[.])?(?:z?debug_|eh_frame$)|^[.]rela?[.]BTF(?:[.]ext)?$|^[.](?:llvm_addrsig|comment)$/;

/** Sections start at multiples of 8 bytes, as those of compilers do. */
const ALIGNMENT = 8;

/**
 * compactObject returns a BPF object without the sections that loaders do not read: DWARF is most of an object that was
 * not stripped. Loaders treat both the same. Indexes of sections and symbols stay. The sections that are left out become
 * empty ones.
 *
 * @param file the whole object.
 * @returns a copy; a copy of the whole object if it would not become smaller.
 * @throws BtfFormatError `MALFORMED` if it is not a whole ELF file.
 * @throws BtfFormatError `UNSUPPORTED` for an ELF file that is not an object of BPF programs.
 * @throws BtfFormatError `LIMIT_EXCEEDED` for more than 4,096 sections.
 */
export function compactObject(file: Uint8Array): Uint8Array {
  const elf = parseBpfElf(file);
  const headers = elf.sectionHeaders(LONGEST_NAME);
  const kept = headers.filter(({ name }) => name === null || !UNUSED.test(name));
  let end = aligned(ELF64.length);
  const places = new Map<number, number>();
  for (const header of kept) {
    places.set(header.index, end);
    end = aligned(end + fileSize(header));
  }
  const tableLength = elf.tableEnd - elf.tableOffset;
  // Sections of a hostile object may overlap, and would become larger apart.
  if (headers.length === 0 || end + tableLength >= elf.bytes.length) return new Uint8Array(elf.bytes);
  return write(elf, { kept, places, dropped: headers.filter(({ index }) => !places.has(index)), table: end });
}

interface Plan {
  readonly kept: readonly ElfSectionHeader[];
  readonly dropped: readonly ElfSectionHeader[];
  /** Where the sections go, by their index. */
  readonly places: ReadonlyMap<number, number>;
  /** Where the table of sections goes. */
  readonly table: number;
}

function write(elf: ElfFile, { kept, dropped, places, table }: Plan): Uint8Array {
  const entries = elf.bytes.subarray(elf.tableOffset, elf.tableEnd);
  const result = new Uint8Array(table + entries.length);
  const view = new DataView(result.buffer);
  const littleEndian = elf.byteOrder === 'little';
  const entrySize = entries.length / elf.sectionCount;
  result.set(elf.bytes.subarray(0, ELF64.length));
  view.setBigUint64(ELF64.sectionTable, BigInt(table), littleEndian);
  result.set(entries, table);
  for (const header of kept) {
    const place = places.get(header.index) ?? 0;
    const size = fileSize(header);
    if (size > 0) result.set(elf.sectionBytes(header), place);
    const at = table + header.index * entrySize + ELF64.section.offset;
    view.setBigUint64(at, BigInt(place), littleEndian);
  }
  for (const { index } of dropped) {
    const at = table + index * entrySize;
    result.fill(0, at, at + entrySize);
  }
  return result;
}

function fileSize({ type, size }: ElfSectionHeader): number {
  return type === SHT_NOBITS ? 0 : size;
}

function aligned(at: number): number {
  return Math.ceil(at / ALIGNMENT) * ALIGNMENT;
}
