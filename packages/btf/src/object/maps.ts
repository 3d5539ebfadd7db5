import { BtfFormatError } from '../format-error.js';
import { followed } from '../query/follow.js';
import { resolve, resolveId } from '../query/resolve.js';
import type { Spec } from '../spec.js';
import { Kind, type Struct, type TypeId, type Var } from '../types.js';
import type { BpfObject } from './bpf-object.js';

/** BpfMap is a map that a BPF object defines in section `.maps`. */
export interface BpfMap {
  readonly name: string;
  /** The id of its variable in the object's BTF. */
  readonly typeId: TypeId;
  /** The number of its type, a value of `enum bpf_map_type`; null if the definition has none. */
  readonly mapType: number | null;
  readonly maxEntries: number | null;
}

/**
 * readMaps returns the maps that a BPF object defines, in the order of their section. Maps of global variables, such as
 * `.rodata`, are not among them. Modelled on `parse_btf_map_def` of libbpf.
 *
 * @throws BtfFormatError `MALFORMED` if `.maps` contains something else than variables of a struct, and for a name or a
 * reference that is invalid.
 * @throws BtfFormatError `LIMIT_EXCEEDED` if a chain of types or a name is too long.
 */
export function readMaps({ spec }: BpfObject): BpfMap[] {
  const maps: BpfMap[] = [];
  // Hostile objects may have many maps of one large definition.
  const numbers = new Map<TypeId, Pick<BpfMap, 'mapType' | 'maxEntries'>>();
  for (const section of spec.typesByName('.maps')) {
    if (section.kind !== 'DATASEC') continue;
    for (const { typeId } of section.vars) {
      const variable = variableOf(spec, followed(spec, section.id, typeId));
      const id = variable === null ? null : resolveId(spec, followed(spec, variable.id, variable.typeId));
      if (variable === null || id === null || spec.kindOf(id) !== Kind.STRUCT) {
        const message = `section .maps contains type id ${typeId}, which is not a variable of a struct`;
        throw new BtfFormatError('MALFORMED', message, { typeId: section.id });
      }
      maps.push({ name: variable.name, typeId: variable.id, ...numbersOf(spec, id, numbers) });
    }
  }
  return maps;
}

function numbersOf(
  spec: Spec,
  id: TypeId,
  known: Map<TypeId, Pick<BpfMap, 'mapType' | 'maxEntries'>>,
): Pick<BpfMap, 'mapType' | 'maxEntries'> {
  const found = known.get(id);
  if (found !== undefined) return found;
  const definition = spec.typeById(id);
  const numberOfMember = (name: string): number | null =>
    definition.kind === 'STRUCT' ? numberOf(spec, definition, name) : null;
  const numbers = { mapType: numberOfMember('type'), maxEntries: numberOfMember('max_entries') };
  known.set(id, numbers);
  return numbers;
}

function variableOf(spec: Spec, id: TypeId): Var | null {
  const type = spec.kindOf(id) === Kind.VAR ? spec.typeById(id) : null;
  return type?.kind === 'VAR' ? type : null;
}

/** Definitions write a number as `int (*name)[NUMBER]`. */
function numberOf(spec: Spec, definition: Struct, name: string): number | null {
  const member = definition.members.find((candidate) => candidate.name === name);
  if (member === undefined) return null;
  const pointer = targetOf(spec, definition.id, member.typeId);
  const array = pointer.kind === 'PTR' ? targetOf(spec, pointer.id, pointer.typeId) : null;
  return array?.kind === 'ARRAY' ? array.nelems : null;
}

function targetOf(spec: Spec, from: TypeId, to: TypeId): ReturnType<typeof resolve> {
  return resolve(spec, followed(spec, from, to));
}
