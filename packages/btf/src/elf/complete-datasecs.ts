import { parseHeader } from '../header.js';
import { followed } from '../query/follow.js';
import { type ParseOptions, Spec, typesOf } from '../spec.js';
import { type Datasec, Kind, type TypeId, type VarSecinfo } from '../types.js';
import { ElfFile } from './elf-file.js';

/** The kernel's KSYM_NAME_LEN: it does not accept sections or variables with longer names. */
const LONGEST_NAME = 512;

/** Sizes and offsets of BTF have 32 bits. */
const MAX_U32 = 0xffff_ffff;

/**
 * completeDatasecs fills in the sizes of data sections and the offsets of their variables in the BTF of an object file.
 * Compilers leave both at 0 for the loader, and the kernel rejects a DATASEC of size 0.
 *
 * The size of a section comes from the section headers, and the offset of a variable from the symbol table. Variables
 * are then sorted by offset. A DATASEC stays as it is if it has a size, or if the file has no section of its name (such
 * as `.ksyms`). Type ids do not change. Modelled on libbpf's `btf_fixup_datasec` and cilium/ebpf's `fixupDatasec`.
 *
 * @param btf the BTF of the file, as `readElfBtf` returns it.
 * @param file the whole object file.
 * @returns a completed copy, or `btf` itself if it has no DATASEC of size 0.
 * @throws BtfFormatError as `Spec.parse` does for `btf`.
 * @throws BtfFormatError `MALFORMED` if a DATASEC refers to a type that does not exist, or `file` is not a whole ELF
 * file, or its symbol tables overlap.
 * @throws BtfFormatError `UNSUPPORTED` for an unknown ELF version.
 */
export function completeDatasecs(btf: Uint8Array, file: Uint8Array, options: ParseOptions = {}): Uint8Array {
  const spec = Spec.parse(btf, options);
  const open = openDatasecs(spec);
  if (open.length === 0) return btf;
  const elf = ElfFile.parse(file);
  const sections = elf.sectionIndices(new Set(open.map(({ name }) => name)), LONGEST_NAME);
  const variables = findVariables(elf, new Set(sections.values()));
  const completed = new Uint8Array(btf);
  const view = new DataView(completed.buffer);
  for (const datasec of open) {
    const section = sections.get(datasec.name);
    const size = section === undefined ? 0 : elf.sectionSize(section);
    if (section === undefined || size > MAX_U32) continue;
    const offsets = variables.get(section);
    const vars = datasec.vars.map((info): VarSecinfo => {
      const name = spec.nameOf(followed(spec, datasec.id, info.typeId));
      return { ...info, offset: offsets?.get(name) ?? info.offset };
    });
    writeDatasec(
      view,
      spec,
      datasec.id,
      size,
      vars.toSorted((a, b) => a.offset - b.offset),
    );
  }
  return completed;
}

function openDatasecs(spec: Spec): Datasec[] {
  const open: Datasec[] = [];
  for (const id of spec.typeIds()) {
    if (spec.kindOf(id) !== Kind.DATASEC) continue;
    const type = spec.typeById(id);
    if (type.kind === 'DATASEC' && type.size === 0) open.push(type);
  }
  return open;
}

/** The offsets of the variables of some sections, by section and name. */
function findVariables(
  elf: ElfFile,
  sections: ReadonlySet<number>,
): ReadonlyMap<number, ReadonlyMap<string, number>> {
  const variables = new Map([...sections].map((section) => [section, new Map<string, number>()]));
  for (const { name, section, value } of elf.symbols(sections, LONGEST_NAME)) {
    if (name !== null && value <= MAX_U32) variables.get(section)?.set(name, value);
  }
  return variables;
}

function writeDatasec(
  view: DataView,
  spec: Spec,
  id: TypeId,
  size: number,
  vars: readonly VarSecinfo[],
): void {
  const littleEndian = spec.byteOrder === 'little';
  const start = parseHeader(spec.bytes).types.offset + (typesOf(spec).offsets[id - spec.firstTypeId] ?? 0);
  const words = [size, ...vars.flatMap((info) => [info.typeId, info.offset, info.size])];
  for (const [i, word] of words.entries()) view.setUint32(start + 8 + i * 4, word, littleEndian);
}
