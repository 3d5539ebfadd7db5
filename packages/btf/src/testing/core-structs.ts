import type { CoreTarget } from '../core/candidates.js';
import { resolveRelocations, type ResolveRelocationsOptions } from '../core/resolve.js';
import { parseBpfObject } from '../object/bpf-object.js';
import { Spec } from '../spec.js';
import { Kind } from '../types.js';
import { BtfAssembler } from './assemble-btf.js';
import { assembleCoreObject, EXIT, type ProgramWords, type RelocationWords } from './assemble-ext.js';

/** structs writes BTF of structs with members of 4 or 8 bytes: `NAME.MEMBER:BYTES,…`. The types 1 and 2 are the integers. */
export function structs(...texts: string[]): BtfAssembler {
  const btf = integers(new BtfAssembler('little'));
  for (const text of texts) addStruct(btf, text);
  return btf;
}

/** integers writes the types 1 and 2: integers of 4 and 8 bytes. */
export function integers(btf: BtfAssembler): BtfAssembler {
  return btf
    .type(Kind.INT, 'u32', { sizeOrTypeId: 4, data: [32] })
    .type(Kind.INT, 'u64', { sizeOrTypeId: 8, data: [64] });
}

/** addStruct writes a struct, as for {@link structs}. @param first the id of the smaller integer. */
export function addStruct(btf: BtfAssembler, text: string, first = 1): void {
  const [name = '', members = ''] = text.split('.');
  let offset = 0;
  const data = members.split(',').flatMap((member) => {
    const [own = '', size] = member.split(':');
    const at = offset;
    offset += Number(size) * 8;
    return [own, size === '8' ? first + 1 : first, at];
  });
  btf.type(Kind.STRUCT, name, { vlen: data.length / 3, sizeOrTypeId: offset / 8, data });
}

/** specOf parses what an assembler wrote. */
export function specOf(btf: BtfAssembler): Spec {
  return Spec.parse(btf.bytes());
}

/** program makes a program of a relocation for the offset of each access, in an instruction that moves the value. */
export function program(
  name: string,
  accesses: readonly (readonly [number, string, number])[],
  more: Partial<ProgramWords> = {},
): ProgramWords {
  return {
    name,
    instructions: [...accesses.map(([, , value]) => ({ opcode: 0xb7, immediate: value })), EXIT],
    relocations: accesses.map(([typeId, access], instruction): RelocationWords => ({
      instruction,
      typeId,
      access,
      kind: 'FIELD_BYTE_OFFSET',
    })),
    ...more,
  };
}

/** resolve returns a line for each relocation: its program, its place, its outcome, and what it matches. */
export function resolve(
  local: BtfAssembler,
  programs: readonly ProgramWords[],
  target: CoreTarget,
  options: ResolveRelocationsOptions = {},
): string[] {
  const object = parseBpfObject(assembleCoreObject('little', local, programs));
  return resolveRelocations(object, target, options).relocations.map(
    ({ loadedFor, program: own, local: place, outcome, targetValue, match }) => {
      const scope = loadedFor === own ? (own?.name ?? '') : `${loadedFor?.name}/${own?.name}`;
      const found = match === null ? '' : ` ${targetValue} in ${match.object}`;
      return `${scope}: ${place?.text} ${outcome}${found}`;
    },
  );
}
