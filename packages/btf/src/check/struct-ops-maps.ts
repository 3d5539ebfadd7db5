import { BtfFormatError } from '../format-error.js';
import { type BpfObject, LONGEST_NAME } from '../object/bpf-object.js';
import { relocationsBySection } from '../object/calls.js';
import { INSTRUCTION_LENGTH } from '../object/instructions.js';
import { type BpfProgram, programAt } from '../object/programs.js';
import { followed } from '../query/follow.js';
import { resolveId } from '../query/resolve.js';
import { sizeof } from '../query/sizeof.js';
import { Kind, type TypeId } from '../types.js';

/** StructOpsMember is a member of a struct_ops map as the file has it. */
export interface StructOpsMember {
  readonly name: string;
  readonly typeId: TypeId;
  /** Size in bytes. */
  readonly size: number;
  readonly isBitfield: boolean;
  /** Whether it has a value: a program, or bytes that are not all 0. */
  readonly isSet: boolean;
  /** The program that it points to; null if there is none. */
  readonly program: BpfProgram | null;
}

/** StructOpsMap is a variable of a section `.struct_ops`: a struct of functions that programs implement. */
export interface StructOpsMap {
  readonly name: string;
  /** The struct, in the object's BTF. */
  readonly typeId: TypeId;
  readonly structName: string;
  readonly members: readonly StructOpsMember[];
  /** Whether loaders make the map by default: its section does not begin with `?`. */
  readonly autocreate: boolean;
}

const SECTION = /^\??\.struct_ops(\.link)?$/;
const SHT_NOBITS = 8;

/** More than any real object has. */
const MAX_MAPS = 1024;
const MAX_MEMBERS = 65_536;

/**
 * structOpsMaps returns the struct_ops maps of an object. Modelled on `init_struct_ops_maps` of libbpf.
 *
 * @param programs of `readPrograms`.
 * @throws BtfFormatError `MALFORMED` for sections that contain something other than variables of a struct, for variables
 * without a symbol, and for members and relocations that lie outside of the section.
 * @throws BtfFormatError `LIMIT_EXCEEDED` for more than 1,024 maps, or more than 65,536 members in all of them.
 */
export function structOpsMaps(object: BpfObject, programs: readonly BpfProgram[]): StructOpsMap[] {
  const { elf, spec, symbols } = object;
  const maps: StructOpsMap[] = [];
  const seen = new Set<string>();
  let members = 0;
  for (const header of elf.sectionHeaders(LONGEST_NAME)) {
    if (header.name === null || header.type === SHT_NOBITS || !SECTION.test(header.name)) continue;
    if (seen.has(header.name)) throw malformed(`the object has several sections ${header.name}`);
    seen.add(header.name);
    const bytes = elf.sectionBytes(header);
    const relocations = relocationsBySection(object, new Set([header.index])).get(header.index) ?? new Map();
    const pointers = new Map<number, BpfProgram | null>();
    for (const { offset, symbol: index } of relocations.values()) {
      const symbol = symbols[index];
      const instruction = (symbol?.value ?? 0) / INSTRUCTION_LENGTH;
      pointers.set(offset, symbol === undefined ? null : programAt(programs, symbol.section, instruction));
    }
    for (const section of spec.typesByName(header.name)) {
      if (section.kind !== 'DATASEC') continue;
      for (const { typeId } of section.vars) {
        const id = followed(spec, section.id, typeId);
        const variable = spec.kindOf(id) === Kind.VAR ? spec.typeById(id) : null;
        if (variable?.kind !== 'VAR')
          throw malformed(`section ${header.name} contains something else than variables`);
        const structId = resolveId(spec, followed(spec, id, variable.typeId));
        const struct = spec.kindOf(structId) === Kind.STRUCT ? spec.typeById(structId) : null;
        if (struct?.kind !== 'STRUCT')
          throw malformed(`variable ${variable.name} of ${header.name} is not a struct`);
        const symbol = symbols.find(
          ({ name, section: own }) => own === header.index && name === variable.name,
        );
        if (symbol === undefined)
          throw malformed(`variable ${variable.name} of ${header.name} has no symbol`);
        members += struct.members.length;
        if (maps.length === MAX_MAPS || members > MAX_MEMBERS) {
          throw new BtfFormatError('LIMIT_EXCEEDED', `BPF object has too many struct_ops maps or members`);
        }
        maps.push({
          name: variable.name,
          typeId: structId,
          structName: struct.name,
          autocreate: !header.name.startsWith('?'),
          members: struct.members.map((member): StructOpsMember => {
            const size = sizeof(spec, followed(spec, structId, member.typeId));
            const at = symbol.value + Math.floor(member.bitOffset / 8);
            if (at + size > bytes.length)
              throw malformed(`member ${member.name} of ${variable.name} lies outside its section`);
            const isPointer = pointers.has(at);
            return {
              name: member.name,
              typeId: member.typeId,
              size,
              isBitfield: member.bitfieldSize !== 0,
              isSet: isPointer || bytes.subarray(at, at + size).some((byte) => byte !== 0),
              program: pointers.get(at) ?? null,
            };
          }),
        });
      }
    }
  }
  return maps;
}

function malformed(message: string): BtfFormatError {
  return new BtfFormatError('MALFORMED', message);
}
