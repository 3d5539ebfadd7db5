import type { ByteOrder } from '../header.js';
import { assembleElf, type SectionWords, symbolTable, type SymbolWords } from './assemble-elf.js';

/** ObjectSymbol is a symbol for {@link assembleObject}, by its name and that of its section. */
export interface ObjectSymbol extends Omit<SymbolWords, 'name' | 'section'> {
  readonly name: string;
  /** Default: none, as for a symbol of another object. */
  readonly section?: string;
}

/** ObjectContent is the content of an object file in addition to its BTF. */
export interface ObjectContent {
  readonly sections?: readonly SectionWords[];
  readonly symbols?: readonly ObjectSymbol[];
  /** Changes to the header of the symbol table. */
  readonly table?: Partial<SectionWords>;
}

const SHT_SYMTAB = 2;
const SHT_STRTAB = 3;
/** The index of the section after section 0, the section of section names, and `.BTF`. */
const FIRST = 3;

/** assembleObject writes an object file of BPF programs, of 64 bits. */
export function assembleObject(
  order: ByteOrder,
  btf: Uint8Array,
  { sections = [], symbols = [], table = {} }: ObjectContent,
): Uint8Array {
  const names = ['', ...symbols.map(({ name }) => name)].map((name) => `${name}\0`);
  const words = symbols.map(({ section, value, info, other, size }, i) => ({
    value,
    ...(size === undefined ? {} : { size }),
    ...(info === undefined ? {} : { info }),
    ...(other === undefined ? {} : { other }),
    name: names.slice(0, i + 1).join('').length,
    section: section === undefined ? 0 : FIRST + sections.findIndex(({ name }) => name === section),
  }));
  return assembleElf(64, order, [
    { name: '.BTF', bytes: btf },
    ...sections,
    {
      name: '.symtab',
      bytes: symbolTable(64, order, words),
      type: SHT_SYMTAB,
      entrySize: 24,
      link: FIRST + sections.length + 1,
      ...table,
    },
    { name: '.strtab', bytes: new TextEncoder().encode(names.join('')), type: SHT_STRTAB },
  ]);
}

/** emptySection returns a section of a size that has no bytes in the file, such as `.bss`. */
export function emptySection(name: string, size: number): SectionWords {
  return { name, bytes: new Uint8Array(0), type: 8, size };
}
