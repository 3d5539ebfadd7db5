import type { ElfRelocation } from '../elf/elf-file.js';
import { BtfFormatError } from '../format-error.js';
import { type BpfObject, LONGEST_NAME } from './bpf-object.js';
import {
  CALL,
  type Instruction,
  INSTRUCTION_LENGTH,
  Instructions,
  LOAD_64,
  PSEUDO_CALL,
} from './instructions.js';
import { type BpfProgram, programAt } from './programs.js';

const SHT_REL = 9;

/** More than any real object has. Sections may overlap, so a small file could have any number. */
const MAX_RELOCATIONS = 1_048_576;

/**
 * readCalls finds the subprograms that each program refers to directly: it calls them, or takes their address. A loader
 * appends them to the program, with those that they refer to.
 *
 * @param programs of `readPrograms`.
 * @throws BtfFormatError `MALFORMED` if a section of relocations ends after the end of the file, or has entries of
 * another size.
 * @throws BtfFormatError `LIMIT_EXCEEDED` for more than 1,048,576 relocations.
 */
export function readCalls(
  object: BpfObject,
  programs: readonly BpfProgram[],
): ReadonlyMap<BpfProgram, ReadonlySet<BpfProgram>> {
  const relocations = relocationsBySection(object, new Set(programs.map(({ sectionIndex }) => sectionIndex)));
  const calls = new Map<BpfProgram, ReadonlySet<BpfProgram>>();
  for (const program of programs) {
    const { bytes, start, count, sectionIndex } = program;
    const instructions = new Instructions(bytes, object.elf.byteOrder);
    const called = new Set<BpfProgram>();
    for (let i = 0; i < count; i++) {
      const opcode = instructions.opcodeAt(i);
      const instruction = opcode === CALL || opcode === LOAD_64 ? instructions.at(i) : null;
      if (instruction === null) continue;
      const relocation = relocations.get(sectionIndex)?.get((start + i) * INSTRUCTION_LENGTH);
      const target =
        relocation === undefined
          ? relativeTarget(instruction, program, i)
          : symbolTarget(object, relocation, instruction);
      const callee = target === null ? null : programAt(programs, target.section, target.instruction);
      if (callee !== null && callee !== program) called.add(callee);
    }
    calls.set(program, called);
  }
  return calls;
}

/** Target is the instruction that a call or an address refers to. */
export interface Target {
  readonly section: number;
  readonly instruction: number;
}

/** relativeTarget returns the target of a call within a section, which needs no relocation; null for others. */
export function relativeTarget(
  { opcode, src, immediate }: Instruction,
  program: BpfProgram,
  i: number,
): Target | null {
  if (opcode !== CALL || src !== PSEUDO_CALL) return null;
  return { section: program.sectionIndex, instruction: program.start + i + immediate + 1 };
}

/**
 * symbolTarget returns the target of a relocated instruction. The symbol is the function, or its section; then the
 * instruction has the place of the function in it.
 */
export function symbolTarget(
  { symbols }: BpfObject,
  { symbol: index }: ElfRelocation,
  { opcode, src, immediate }: Instruction,
): Target | null {
  const symbol = symbols[index];
  if (symbol === undefined || (opcode === CALL && src !== PSEUDO_CALL)) return null;
  const first = symbol.value / INSTRUCTION_LENGTH;
  const within = opcode === CALL ? immediate + 1 : immediate / INSTRUCTION_LENGTH;
  return { section: symbol.section, instruction: first + within };
}

/** relocationsBySection returns the ELF relocations of sections, by section and by their bytes from its start. */
export function relocationsBySection(
  { elf }: BpfObject,
  sections: ReadonlySet<number>,
): ReadonlyMap<number, ReadonlyMap<number, ElfRelocation>> {
  const bySection = new Map<number, Map<number, ElfRelocation>>();
  let count = 0;
  for (const header of elf.sectionHeaders(LONGEST_NAME)) {
    if (header.type !== SHT_REL || !sections.has(header.info)) continue;
    count += header.size / 16;
    if (count > MAX_RELOCATIONS) {
      throw new BtfFormatError('LIMIT_EXCEEDED', `BPF object has more than ${MAX_RELOCATIONS} relocations`);
    }
    const known = bySection.get(header.info) ?? new Map<number, ElfRelocation>();
    bySection.set(header.info, known);
    for (const relocation of elf.relocations(header)) known.set(relocation.offset, relocation);
  }
  return bySection;
}
