import { BtfFormatError } from '../format-error.js';
import type { ElfSectionHeader, ElfSymbol } from '../elf/elf-file.js';
import { type BpfObject, LONGEST_NAME } from './bpf-object.js';
import { INSTRUCTION_LENGTH } from './instructions.js';

/** BpfProgram is a function of a BPF object: a program, or a subprogram that programs call. */
export interface BpfProgram {
  readonly name: string;
  /** The name of the ELF section, with its `?` if it has one. */
  readonly section: string;
  readonly sectionIndex: number;
  /** Its first instruction, counted from the start of the section. */
  readonly start: number;
  /** Number of instructions. */
  readonly count: number;
  /** The instructions in the byte order of the object. They alias the file. */
  readonly bytes: Uint8Array;
  /** Whether it is only a part of programs: it is in `.text`, or static. */
  readonly isSubprogram: boolean;
  /** Whether a loader loads it by default: its section does not begin with `?`. */
  readonly autoload: boolean;
  /** Whether other objects can use it: its symbol is global or weak. */
  readonly isGlobal: boolean;
}

const SHT_PROGBITS = 1;
const SHF_EXECINSTR = 4;
const STT_FUNC = 2;
const STB_LOCAL = 0;
const TEXT = '.text';

/** More than any real object has. They bound the time and the memory that a hostile object takes. */
const MAX_PROGRAMS = 4096;
const MAX_INSTRUCTIONS = 1_048_576;

/**
 * readPrograms returns the programs and subprograms of a BPF object: the functions in its executable sections. They are
 * in the order of their sections, and within a section in that of their instructions. Modelled on
 * `bpf_object__add_programs` of libbpf, which refuses objects with static functions outside `.text`.
 *
 * @throws BtfFormatError `MALFORMED` if a function has no name, is empty, is not whole instructions, or ends after the
 * end of its section, and if a section ends after the end of the file.
 * @throws BtfFormatError `UNSUPPORTED` for a compressed section.
 * @throws BtfFormatError `LIMIT_EXCEEDED` for more than 4,096 functions, and for more than 1,048,576 instructions in all
 * of them.
 */
export function readPrograms(object: BpfObject): BpfProgram[] {
  const sections = new Map<number, ElfSectionHeader>();
  for (const section of object.elf.sectionHeaders(LONGEST_NAME)) {
    if (isCode(section)) sections.set(section.index, section);
  }
  const programs: BpfProgram[] = [];
  let instructions = 0;
  for (const symbol of object.symbols) {
    const section = symbol.type === STT_FUNC ? sections.get(symbol.section) : undefined;
    if (section === undefined) continue;
    const program = programOf(object, section, symbol);
    instructions += program.count;
    programs.push(program);
    if (programs.length > MAX_PROGRAMS) throw tooMany('functions', MAX_PROGRAMS);
    if (instructions > MAX_INSTRUCTIONS) throw tooMany('instructions', MAX_INSTRUCTIONS);
  }
  return programs.toSorted((a, b) => a.sectionIndex - b.sectionIndex || a.start - b.start);
}

/**
 * programAt finds the program that contains an instruction.
 *
 * @param programs of {@link readPrograms}.
 * @param instruction counted from the start of the section.
 * @returns null if none does: a linker may have dropped a weak function, but not the records about it.
 */
export function programAt(
  programs: readonly BpfProgram[],
  sectionIndex: number,
  instruction: number,
): BpfProgram | null {
  let low = 0;
  let high = programs.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const program = programs[middle];
    if (program === undefined) break;
    const isBefore =
      program.sectionIndex < sectionIndex ||
      (program.sectionIndex === sectionIndex && program.start <= instruction);
    if (isBefore) low = middle + 1;
    else high = middle;
  }
  const program = programs[low - 1];
  if (program === undefined || program.sectionIndex !== sectionIndex) return null;
  return instruction < program.start + program.count ? program : null;
}

function isCode({ type, flags, size, name }: ElfSectionHeader): boolean {
  return type === SHT_PROGBITS && size > 0 && name !== null && (flags & SHF_EXECINSTR) !== 0;
}

function programOf({ elf }: BpfObject, header: ElfSectionHeader, symbol: ElfSymbol): BpfProgram {
  const section = header.name ?? '';
  const malformed = (message: string): BtfFormatError => {
    const what = `function ${symbol.name ?? 'with a long name'} in section ${section}`;
    return new BtfFormatError('MALFORMED', `${what} ${message}`, { offset: header.offset });
  };
  const { name, value, size, binding } = symbol;
  if (name === null || name === '') throw malformed('has no name, or one of more than 512 bytes');
  if (size === 0 || size % INSTRUCTION_LENGTH !== 0 || value % INSTRUCTION_LENGTH !== 0) {
    throw malformed(`is not whole instructions: it has ${size} bytes at ${value}`);
  }
  if (value + size > header.size) throw malformed('ends after the end of the section');
  if (header.compressed) {
    const message = `section ${section} is compressed, which no loader reads`;
    throw new BtfFormatError('UNSUPPORTED', message, { offset: header.offset });
  }
  const isLocal = binding === STB_LOCAL;
  return {
    name,
    section,
    sectionIndex: header.index,
    start: value / INSTRUCTION_LENGTH,
    count: size / INSTRUCTION_LENGTH,
    bytes: elf.sectionBytes(header).subarray(value, value + size),
    isSubprogram: section === TEXT || isLocal,
    autoload: !section.startsWith('?'),
    isGlobal: !isLocal,
  };
}

function tooMany(what: string, limit: number): BtfFormatError {
  return new BtfFormatError('LIMIT_EXCEEDED', `BPF object has more than ${limit} ${what}`);
}
