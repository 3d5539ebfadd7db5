import type { ElfSymbol } from '../elf/elf-file.js';
import { BtfFormatError } from '../format-error.js';
import { followed } from '../query/follow.js';
import { type Datasec, Kind, type VarSecinfo, VarLinkage } from '../types.js';
import { type BpfObject, LONGEST_NAME } from './bpf-object.js';
import type { BtfEditor } from './btf-editor.js';
import { isExternSection } from './externs.js';
import { isHidden, isShared } from './visibility.js';

/** `STT_OBJECT` of `elf.h`: the symbol of a variable. */
const STT_OBJECT = 1;

/** Sizes and offsets of BTF have 32 bits. */
const MAX_U32 = 0xffff_ffff;

/**
 * prepareDataSections fills in what compilers leave at 0: the size of each data section, from the section headers, and
 * the offsets of its global variables, from the symbol table. Offsets of static variables are right already, and so is
 * everything in an object that a static linker wrote. Hidden variables become static. Variables are then sorted by
 * offset. Modelled on `btf_fixup_datasec` of libbpf.
 *
 * @param sections the data sections of the spec. Those of externs are left alone.
 * @throws BtfFormatError `MALFORMED` if the file does not have a section or a variable, and if a section contains
 * something else.
 */
export function prepareDataSections(
  { elf, spec, symbols }: BpfObject,
  sections: readonly Datasec[],
  editor: BtfEditor,
): void {
  const own = sections.filter(({ name }) => !isExternSection(name));
  const indices = elf.sectionIndices(new Set(own.map(({ name }) => name)), LONGEST_NAME);
  const symbolsByName = globalVariables(symbols);
  for (const section of own) {
    const isOpen = section.size === 0;
    const vars = section.vars.map((info): VarSecinfo => {
      const id = followed(spec, section.id, info.typeId);
      const variable = spec.kindOf(id) === Kind.VAR ? spec.typeById(id) : null;
      if (variable?.kind !== 'VAR') {
        throw malformed(section, `contains type id ${id}, which is not a variable`);
      }
      if (variable.linkage !== VarLinkage.GLOBAL) return info;
      const symbol = symbolsByName.get(variable.name);
      if (symbol !== undefined && isHidden(symbol)) editor.setWord(id, 3, VarLinkage.STATIC);
      return isOpen ? { ...info, offset: offsetOf(section, variable.name, symbol) } : info;
    });
    const size = isOpen ? sizeOf(section, indices.get(section.name), elf) : section.size;
    editor.setSection(
      section.id,
      size,
      vars.toSorted((a, b) => a.offset - b.offset),
    );
  }
}

function globalVariables(symbols: readonly ElfSymbol[]): ReadonlyMap<string, ElfSymbol> {
  const variables = new Map<string, ElfSymbol>();
  for (const symbol of symbols) {
    if (symbol.type !== STT_OBJECT || !isShared(symbol) || symbol.name === null) continue;
    if (!variables.has(symbol.name)) variables.set(symbol.name, symbol);
  }
  return variables;
}

function offsetOf(section: Datasec, name: string, symbol: ElfSymbol | undefined): number {
  if (symbol !== undefined && symbol.value <= MAX_U32) return symbol.value;
  const reason =
    symbol === undefined ? 'has no symbol in the file, so its offset is not known' : 'begins after 4 GiB';
  throw malformed(section, `has a variable ${name} that ${reason}`);
}

function sizeOf(section: Datasec, index: number | undefined, elf: BpfObject['elf']): number {
  const size = index === undefined ? MAX_U32 + 1 : elf.sectionSize(index);
  if (size <= MAX_U32) return size;
  throw malformed(
    section,
    index === undefined ? 'is not in the file, so its size is not known' : 'has more than 4 GiB',
  );
}

function malformed({ id, name }: Datasec, message: string): BtfFormatError {
  return new BtfFormatError('MALFORMED', `data section ${name} ${message}`, { typeId: id });
}
