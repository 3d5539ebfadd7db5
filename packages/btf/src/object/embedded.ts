import { ElfFile, type ElfSectionHeader } from '../elf/elf-file.js';
import { BtfFormatError, BtfReadError } from '../format-error.js';
import { isBpfObject } from './bpf-object.js';

/** EmbeddedObject is a BPF object that is part of another file. */
export interface EmbeddedObject {
  /** Bytes from the start of the file. */
  readonly offset: number;
  /** A copy of the object. */
  readonly bytes: Uint8Array;
}

const SHT_NULL = 0;
const SHT_NOBITS = 8;

/** The first bytes of an ELF file. */
const FIRST_BYTE = 0x7f;
const SECOND_BYTE = 0x45;

/** More than any real file has. They bound the time that a hostile file takes, with copies of one header. */
const MAX_SECTIONS = 4096;
const MAX_HEADERS = 1_048_576;
const MAX_OBJECTS = 4096;

/**
 * findBpfObjects finds the BPF objects in an executable: the skeletons of libbpf, and the objects that `bpf2go` of
 * cilium/ebpf embeds in programs. A file that is an object itself is found at offset 0.
 *
 * It searches for ELF headers of object files of 64 bits for BPF, in either byte order. Objects that are compressed, or
 * written as text, are not found. An object that is found may lack BTF.
 *
 * @param file the whole file.
 * @returns the objects in the order of their places; none overlap.
 * @throws BtfFormatError `LIMIT_EXCEEDED` for more than 4,096 objects, or more than 1,048,576 section headers at places
 * that look like objects.
 */
export function findBpfObjects(file: Uint8Array): EmbeddedObject[] {
  const found: EmbeddedObject[] = [];
  let headers = 0;
  let at = file.indexOf(FIRST_BYTE);
  while (at >= 0) {
    const elf = objectAt(file, at);
    headers += elf?.sectionCount ?? 0;
    if (headers > MAX_HEADERS) throw tooMany(`${MAX_HEADERS} section headers of BPF objects`);
    const end = elf === null ? null : endOf(elf);
    if (end !== null) {
      found.push({ offset: at, bytes: new Uint8Array(file.subarray(at, at + end)) });
      if (found.length > MAX_OBJECTS) throw tooMany(`${MAX_OBJECTS} BPF objects`);
    }
    at = file.indexOf(FIRST_BYTE, at + (end ?? 1));
  }
  return found;
}

/** The ELF file at a place; null if there is none of a BPF object. */
function objectAt(file: Uint8Array, at: number): ElfFile | null {
  // Most bytes of this value begin no header. A view of the rest for each would take longest.
  if (file[at + 1] !== SECOND_BYTE) return null;
  const rest = file.subarray(at);
  if (!isBpfObject(rest)) return null;
  try {
    const elf = ElfFile.parse(rest);
    return elf.sectionCount > 0 && elf.sectionCount <= MAX_SECTIONS ? elf : null;
  } catch (error) {
    // Bytes that look like the header of an object, but are not: common in programs that handle objects.
    if (error instanceof BtfReadError) return null;
    throw error;
  }
}

/** The length of an object: the end of its last part. Null if a part ends after the end of the file. */
function endOf(elf: ElfFile): number | null {
  let end = elf.tableEnd;
  for (const section of elf.sectionHeaders(0)) end = Math.max(end, sectionEnd(section));
  return end <= elf.bytes.length ? end : null;
}

function sectionEnd({ type, offset, size }: ElfSectionHeader): number {
  return type === SHT_NULL || type === SHT_NOBITS ? 0 : offset + size;
}

function tooMany(what: string): BtfFormatError {
  return new BtfFormatError('LIMIT_EXCEEDED', `file has more than ${what}`);
}
