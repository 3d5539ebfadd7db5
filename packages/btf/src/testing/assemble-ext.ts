import type { ByteOrder } from '../header.js';
import { RELOCATION_KINDS, type RelocationKind } from '../ext/records.js';
import { type Instruction, INSTRUCTION_LENGTH, Instructions } from '../object/instructions.js';
import type { BtfAssembler } from './assemble-btf.js';
import type { SectionWords } from './assemble-elf.js';
import { assembleObject, type ObjectContent, type ObjectSymbol } from './assemble-object.js';

/** ExtPartWords are the blocks of a part: the offset of the section's name, and the words of each record. */
export interface ExtPartWords {
  readonly recordSize?: number;
  readonly blocks: readonly { readonly name: number; readonly records: readonly (readonly number[])[] }[];
}

/** ExtWords are the parts of a section `.BTF.ext`. */
export interface ExtWords {
  /** Default: 32. */
  readonly headerLength?: number;
  readonly functions?: ExtPartWords;
  readonly lines?: ExtPartWords;
  readonly relocations?: ExtPartWords;
}

/** assembleExt writes a section `.BTF.ext` without any checks: invalid input gives an invalid section. */
export function assembleExt(
  order: ByteOrder,
  { headerLength = 32, functions, lines, relocations }: ExtWords,
): Uint8Array {
  const parts = [partWords(functions, 8), partWords(lines, 16), partWords(relocations, 16)];
  const starts = parts.map((_, i) => parts.slice(0, i).reduce((sum, words) => sum + words.length * 4, 0));
  const total = parts.reduce((sum, words) => sum + words.length * 4, headerLength);
  const bytes = new Uint8Array(total);
  const view = new DataView(bytes.buffer);
  const little = order === 'little';
  view.setUint16(0, 0xeb9f, little);
  view.setUint8(2, 1);
  view.setUint32(4, headerLength, little);
  for (const [i, words] of parts.entries()) {
    if (headerLength >= 16 + i * 8) {
      view.setUint32(8 + i * 8, starts[i] ?? 0, little);
      view.setUint32(12 + i * 8, words.length * 4, little);
    }
    const at = headerLength + (starts[i] ?? 0);
    for (const [j, word] of words.entries()) view.setUint32(at + j * 4, word, little);
  }
  return bytes;
}

function partWords(part: ExtPartWords | undefined, size: number): number[] {
  if (part === undefined) return [];
  const { recordSize = size, blocks } = part;
  const padded = (record: readonly number[]): number[] =>
    Array.from({ length: recordSize / 4 }, (_, i) => record[i] ?? 0);
  const words = [recordSize];
  for (const { name, records } of blocks) {
    words.push(name, records.length);
    for (const record of records) words.push(...padded(record));
  }
  return words;
}

/** RelocationWords are a relocation of a program of {@link assembleCoreObject}. */
export interface RelocationWords {
  /** Counted from the start of the program. */
  readonly instruction: number;
  readonly typeId: number;
  readonly access: string;
  /** A number for a kind that does not exist. */
  readonly kind: RelocationKind | number;
}

/** ProgramWords are a program of {@link assembleCoreObject}. */
export interface ProgramWords {
  readonly name: string;
  /** Default: `socket`. Programs of one section follow each other in it. */
  readonly section?: string;
  readonly instructions: readonly Partial<Instruction>[];
  readonly relocations?: readonly RelocationWords[];
  /** Binding and type of its symbol. Default: a global function. */
  readonly info?: number;
  /** The id of its FUNC. Objects of compilers have one for each program, or none. */
  readonly functionId?: number;
}

/** GLOBAL_FUNCTION and LOCAL_FUNCTION are bindings and types of symbols. */
export const GLOBAL_FUNCTION = 0x12;
export const LOCAL_FUNCTION = 0x02;

/** EXIT is the instruction that ends a program. */
export const EXIT: Partial<Instruction> = { opcode: 0x95 };

/** instructionBytes writes instructions. Parts that are not given are 0. */
export function instructionBytes(
  order: ByteOrder,
  instructions: readonly Partial<Instruction>[],
): Uint8Array {
  const bytes = new Uint8Array(instructions.length * INSTRUCTION_LENGTH);
  const writer = new Instructions(bytes, order);
  for (const [i, instruction] of instructions.entries()) {
    writer.set(i, { opcode: 0, dst: 0, src: 0, offset: 0, immediate: 0, ...instruction });
  }
  return bytes;
}

/** assembleCoreObject writes an object file with programs and their CO-RE relocations. */
export function assembleCoreObject(
  order: ByteOrder,
  btf: BtfAssembler,
  programs: readonly ProgramWords[],
  content: ObjectContent = {},
): Uint8Array {
  const bySection = new Map<string, ProgramWords[]>();
  for (const program of programs) {
    const section = program.section ?? 'socket';
    bySection.set(section, [...(bySection.get(section) ?? []), program]);
  }
  const sections: SectionWords[] = [];
  const symbols: ObjectSymbol[] = [];
  const blocks: { name: number; records: number[][] }[] = [];
  const functions: { name: number; records: number[][] }[] = [];
  const lines: { name: number; records: number[][] }[] = [];
  for (const [section, own] of bySection) {
    const records: number[][] = [];
    const starts: number[][] = [];
    const firstLines: number[][] = [];
    let start = 0;
    for (const { name, instructions, relocations = [], info = GLOBAL_FUNCTION, functionId } of own) {
      if (functionId !== undefined) {
        starts.push([start, functionId]);
        firstLines.push([start, btf.string('a.c'), btf.string(`${name};`), 1 << 10]);
      }
      const size = instructions.length * INSTRUCTION_LENGTH;
      symbols.push({ name, section, value: start, size, info });
      for (const { instruction, typeId, access, kind } of relocations) {
        const number = typeof kind === 'number' ? kind : RELOCATION_KINDS.indexOf(kind);
        records.push([start + instruction * INSTRUCTION_LENGTH, typeId, btf.string(access), number]);
      }
      start += size;
    }
    const bytes = instructionBytes(
      order,
      own.flatMap(({ instructions }) => instructions),
    );
    sections.push({ name: section, bytes, flags: 6 });
    if (starts.length > 0) functions.push({ name: btf.string(section), records: starts });
    if (firstLines.length > 0) lines.push({ name: btf.string(section), records: firstLines });
    if (records.length > 0) blocks.push({ name: btf.string(section), records });
  }
  const ext = assembleExt(order, {
    ...(functions.length === 0 ? {} : { functions: { blocks: functions }, lines: { blocks: lines } }),
    ...(blocks.length === 0 ? {} : { relocations: { blocks } }),
  });
  const license = { name: 'license', bytes: new TextEncoder().encode('GPL\0'), flags: 3 };
  return assembleObject(order, btf.bytes(), {
    ...content,
    sections: [...sections, { name: '.BTF.ext', bytes: ext }, license, ...(content.sections ?? [])],
    symbols: [...symbols, ...(content.symbols ?? [])],
  });
}
