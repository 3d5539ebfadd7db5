import { ElfFile, type ElfSymbol, isElfFile } from '../elf/elf-file.js';
import { type BtfExt, parseBtfExt } from '../ext/btf-ext.js';
import { BtfFormatError } from '../format-error.js';
import type { ParseLimits } from '../limits.js';
import { Spec } from '../spec.js';

/** BpfObject is an object file of BPF programs, read once for everything that is done with it. */
export interface BpfObject {
  readonly elf: ElfFile;
  /** The BTF of section `.BTF`, as the compiler or a static linker wrote it. */
  readonly spec: Spec;
  /** The symbols in the order of the symbol table. */
  readonly symbols: readonly ElfSymbol[];
}

/** BpfObjectOptions are the options of {@link parseBpfObject}. */
export interface BpfObjectOptions {
  /** Limits of its BTF, to use instead of `DEFAULT_PARSE_LIMITS`. */
  readonly limits?: Partial<ParseLimits>;
}

const ELFCLASS64 = 2;
const HEADER_LENGTH = 64;
const ET_REL = 1;
/** Old versions of LLVM left the machine at 0. */
const EM_NONE = 0;
const EM_BPF = 247;

/** More than any real object has. They bound the time that a hostile file takes. */
const MAX_SECTIONS = 4096;
const MAX_SYMBOLS = 65_536;

/** LONGEST_NAME is the kernel's KSYM_NAME_LEN: it does not accept sections or variables with longer names. */
export const LONGEST_NAME = 512;

/**
 * isBpfObject reports whether a file is an object file of BPF programs, as a compiler or a static linker writes it. It
 * is false for other ELF files, such as a vmlinux or a module, and for files that are not ELF.
 *
 * @param file the file, or at least its first 64 bytes.
 */
export function isBpfObject(file: Uint8Array): boolean {
  if (!isElfFile(file) || file.length < HEADER_LENGTH || file[4] !== ELFCLASS64) return false;
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const littleEndian = file[5] === 1;
  return isBpf(view.getUint16(16, littleEndian), view.getUint16(18, littleEndian));
}

function isBpf(fileType: number, machine: number): boolean {
  return fileType === ET_REL && (machine === EM_BPF || machine === EM_NONE);
}

/**
 * parseBpfObject reads an object file of BPF programs: its BTF and its symbols. It reads both byte orders.
 *
 * The result aliases the file, which must not change.
 *
 * @param file the whole file, usually named `*.bpf.o`.
 * @throws BtfFormatError `NO_BTF` if the file has no section `.BTF`.
 * @throws BtfFormatError `MALFORMED` if it is not a whole ELF file, if symbol tables overlap, and for its BTF as
 * `Spec.parse` does.
 * @throws BtfFormatError `UNSUPPORTED` for an ELF file that is not an object of BPF programs, for a compressed section
 * `.BTF`, and for its BTF as `Spec.parse` does.
 * @throws BtfFormatError `LIMIT_EXCEEDED` for more than 4,096 sections or 65,536 symbols, and if the BTF exceeds a limit.
 */
export function parseBpfObject(file: Uint8Array, { limits }: BpfObjectOptions = {}): BpfObject {
  const elf = parseBpfElf(file);
  const btf = bytesOf(elf, '.BTF');
  if (btf === null) throw new BtfFormatError('NO_BTF', 'BPF object has no section .BTF: compile it with -g');
  const spec = Spec.parse(btf, limits === undefined ? {} : { limits });
  const symbols: ElfSymbol[] = [];
  for (const symbol of elf.symbols(LONGEST_NAME)) {
    if (symbols.length === MAX_SYMBOLS) throw tooMany(`more than ${MAX_SYMBOLS} symbols`, MAX_SYMBOLS);
    symbols.push(symbol);
  }
  return { elf, spec, symbols };
}

/**
 * parseBpfElf parses the headers of an object file of BPF programs.
 *
 * @throws BtfReadError as {@link parseBpfObject} does for an ELF file.
 */
export function parseBpfElf(file: Uint8Array): ElfFile {
  const elf = ElfFile.parse(file);
  if (elf.pointerSize !== 8 || !isBpf(elf.fileType, elf.machine)) {
    const what = `${elf.pointerSize * 8}-bit ELF file of type ${elf.fileType} for machine ${elf.machine}`;
    throw new BtfFormatError('UNSUPPORTED', `${what} is not an object file of BPF programs`);
  }
  if (elf.sectionCount > MAX_SECTIONS) throw tooMany(`${elf.sectionCount} sections`, MAX_SECTIONS);
  return elf;
}

/**
 * readBtfExt parses the section `.BTF.ext` of a BPF object: functions, source lines, and CO-RE relocations.
 *
 * libbpf ignores a `.BTF.ext` that it cannot parse, and then loads the object without relocating it.
 *
 * @returns null if the object has none.
 * @throws BtfFormatError `MALFORMED` if there are several, and as {@link parseBtfExt} does.
 * @throws BtfFormatError `UNSUPPORTED` for a compressed section, and as {@link parseBtfExt} does.
 * @throws BtfFormatError `LIMIT_EXCEEDED` as {@link parseBtfExt} does.
 */
export function readBtfExt({ elf, spec }: BpfObject): BtfExt | null {
  const bytes = bytesOf(elf, '.BTF.ext');
  return bytes === null ? null : parseBtfExt(bytes, spec);
}

function bytesOf(elf: ElfFile, name: string): Uint8Array | null {
  const section = elf.section(name);
  if (section === null) return null;
  const { offset, size, compressed } = section;
  if (compressed) {
    const message = `section ${name} is compressed, which no loader reads: use objcopy --decompress-debug-sections`;
    throw new BtfFormatError('UNSUPPORTED', message, { offset });
  }
  return elf.bytes.subarray(offset, offset + size);
}

function tooMany(what: string, limit: number): BtfFormatError {
  return new BtfFormatError('LIMIT_EXCEEDED', `BPF object has ${what}: the limit is ${limit}`);
}
